#include "answers/number.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "answers/latex.hpp"
#include "answers/number_words.hpp"
#include "answers/numeral.hpp"
#include "answers/units.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr int kMaxBrackets = 4;

UnitScope scope_of(const Reading& reading) {
  if (reading.kind == Kind::number) return UnitScope::any;
  return reading.units == UnitRule::by_kind ? UnitScope::words : UnitScope::symbols;
}

// The zeros of the decimal digits of scripts in use; nine digits follow each.
constexpr std::array<std::uint32_t, 16> kZeros{0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66,
                                               0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
                                               0xe50, 0xed0, 0xf20, 0x1040};

// The ASCII spelling of a digit or a sign of a number in another script, or NUL.
char ascii_of(std::uint32_t code) {
  if (code == 0x66a) return '%';
  if (code == 0x66b) return '.';
  if (code == 0x66c) return ',';
  const auto zero = std::find_if(kZeros.begin(), kZeros.end(), [code](std::uint32_t first) {
    return code >= first && code < first + 10;
  });
  return zero == kZeros.end() ? '\0' : static_cast<char>('0' + (code - *zero));
}

// `text` with such digits in ASCII; none when it has none.
std::optional<std::string> with_ascii_digits(std::string_view text) {
  std::string out;
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t ahead) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(char_at(text, at + ahead)));
    };
    const std::uint32_t lead = byte(0);
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    const std::uint32_t code = length == 2 ? (lead & 0x1f) << 6 | (byte(1) & 0x3f)
                               : length == 3
                                   ? (lead & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f)
                                   : 0;
    if (const char ascii = ascii_of(code); ascii != '\0') {
      out += ascii;
      any = true;
    } else {
      out.append(text.substr(at, length));
    }
    at += length;
  }
  return any ? std::optional(std::move(out)) : std::nullopt;
}

// `text` without one pair of brackets around all of it, if there is one and it holds no list.
std::string_view without_brackets(std::string_view text) {
  if (text.size() < 3) return text;
  const char open = text.front(), close = open == '(' ? ')' : '}';
  if ((open != '(' && open != '{') || text.back() != close) return text;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == open) ++depth;
    if (text[i] == close && --depth == 0 && i + 1 < text.size()) return text;
  }
  const std::string_view inside = text.substr(1, text.size() - 2);
  return open == '(' && inside.find(',') != std::string_view::npos ? text : trim(inside);
}

std::string_view without_wrapping(std::string_view text) {
  text = trim(text);
  while (!text.empty() && text.front() == kTextMark && text.back() == kTextMark &&
         text.size() > 1) {
    text = trim(text.substr(1, text.size() - 2));
  }
  for (int i = 0; i < kMaxBrackets; ++i) text = without_brackets(text);
  return text;
}

// "$5 per hour" has the unit $/h, "$5 USD" is five dollars.
std::string with_unit(std::string value, std::string_view currency, std::string_view unit) {
  const bool both = !currency.empty() && !unit.empty() && currency != unit;
  if (!currency.empty()) value.append(" ").append(currency);
  if (both && unit.front() != '/') value += ' ';
  if (both) return value.append(unit);
  if (currency.empty() && !unit.empty()) value.append(" ").append(unit);
  return value;
}

std::optional<std::string> in_digits(std::string_view text, const Reading& reading) {
  const bool number = reading.kind == Kind::number;
  NumeralReader reader(text, 0, {number, false, reading.percent});
  auto value = reader.number();
  if (!value) return std::nullopt;
  value = reader.scaled(*value);
  if (!value) return std::nullopt;
  const auto unit = parse_unit(reader.rest(), scope_of(reading));
  if (!unit) return std::nullopt;
  std::string out = spelled(*value);
  return reading.units == UnitRule::keep ? with_unit(std::move(out), reader.currency(), *unit)
                                         : out;
}

// Whether the next word is of a number too: "twenty hundred", "five six". After "and a half" it may
// be a million.
bool goes_on(std::string_view tail) {
  if (!tail.starts_with(' ') && !tail.starts_with('-')) return false;
  tail.remove_prefix(1);
  const std::size_t end =
      static_cast<std::size_t>(std::find_if_not(tail.begin(), tail.end(), is_alpha) - tail.begin());
  return is_number_word(lowered(tail.substr(0, end)));
}

std::optional<std::string> in_words(std::string_view text, const Reading& reading) {
  const auto spoken = read_number_words(text);
  if (!spoken || (spoken->value.denominator() == Natural{1} && goes_on(text.substr(spoken->end))))
    return std::nullopt;
  NumeralReader reader(text, spoken->end, {reading.kind == Kind::number, false, reading.percent});
  const auto value = reader.scaled(spoken->value);
  const UnitScope scope = scope_of(reading);
  if (!value || (scope != UnitScope::any && !only_known_units(reader.rest(), scope)))
    return std::nullopt;
  const auto unit = parse_unit(reader.rest(), scope);
  if (!unit) return std::nullopt;
  std::string out = spelled(*value);
  return reading.units == UnitRule::keep ? with_unit(std::move(out), reader.currency(), *unit)
                                         : out;
}

// The length of "minus " or "negative " before a number in digits.
std::size_t sign_word(std::string_view text) {
  for (const std::string_view word : {"minus ", "negative "}) {
    if (starts_with_folded(text, word) && !is_alpha(char_at(text, word.size()))) return word.size();
  }
  return 0;
}

std::optional<std::string> parse_ascii(std::string_view text, const Reading& reading) {
  text = without_wrapping(text);
  NumeralReader start(text, 0, {});
  start.skip_filler();
  text = start.rest();
  if (const std::size_t sign = sign_word(text)) {
    const std::string_view size = text.substr(sign);
    if (size.starts_with('-') || size.starts_with('+')) return std::nullopt;
    return in_digits(std::string("-").append(size), reading);
  }
  if (auto value = in_digits(text, reading)) return value;
  return in_words(text, reading);
}

}  // namespace

std::optional<std::string> parse_number(std::string_view text, const Reading& reading) {
  if (std::any_of(text.begin(), text.end(), is_multibyte)) {
    if (const auto ascii = with_ascii_digits(text)) return parse_ascii(*ascii, reading);
  }
  return parse_ascii(text, reading);
}

std::optional<std::string> parse_ordinal(std::string_view text, const Reading& reading) {
  text = without_wrapping(text);
  if (starts_with_word(text, "the")) text = trim_left(text.substr(3));
  const auto ordinal = read_ordinal(text);
  if (!ordinal) return std::nullopt;
  const std::string_view tail = text.substr(ordinal->end);
  if (!tail.empty() && (reading.kind != Kind::number || !parse_unit(tail, UnitScope::any)))
    return std::nullopt;
  return ordinal->value.str();
}

}  // namespace orchestrator
