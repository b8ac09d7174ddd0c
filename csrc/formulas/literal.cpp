#include "formulas/literal.hpp"

#include <array>
#include <cstdint>
#include <string>

#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxExponentDigits = 6;  // beyond any exponent within kMaxDigits

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (is_digit(char_at(text, end))) ++end;
  return end - at;
}

std::size_t spaces_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (is_space(char_at(text, end))) ++end;
  return end - at;
}

// What may stand between two groups of a numeral; 0 when nothing of the kind is there.
std::size_t group_gap(std::string_view text, std::size_t at) {
  static constexpr std::array<std::string_view, 7> kGaps{"{,}", " ",   "\\,", "\\ ",
                                                         "~",   "\\;", "\\:"};
  if (std::string_view("{ \\~,").find(char_at(text, at)) == std::string_view::npos) return 0;
  for (const std::string_view gap : kGaps) {
    if (text.substr(at).starts_with(gap)) return gap.size();
  }
  // 16,\!386 and 11,\! 111: a comma drawn tight.
  if (text.substr(at).starts_with(",\\!")) return 3 + spaces_at(text, at + 3);
  return 0;
}

// End of the groups of three that follow a first group, or `at` when the first does not begin such
// a numeral.
std::size_t grouped_end(std::string_view text, std::size_t first, std::size_t at) {
  if (at - first > 3 || text[first] == '0') return at;
  std::size_t end = at;
  bool spaced = false;
  for (;;) {
    const std::size_t gap = group_gap(text, end);
    if (gap == 0 || digits_at(text, end + gap) != 3) break;
    spaced = spaced || text[end] == ' ';
    end += gap + 3;
  }
  // "3 125/1000" is a mixed fraction and "1 234 5" no numeral.
  const std::size_t after = end + spaces_at(text, end);
  const bool divided = char_at(text, after) == '/' || text.substr(after).starts_with("\\frac");
  if (spaced && (divided || (after > end && is_digit(char_at(text, after))))) return at;
  return end;
}

struct Repeat {
  std::string_view open, close;
};
constexpr std::array<Repeat, 4> kRepeats{
    {{"\\overline{", "}"}, {"\\bar{", "}"}, {"\\overline ", ""}, {"\\bar ", ""}}};

// End of repeating digits that begin at `at`, or `at`. \dot stands over the first and the last of
// them.
std::size_t repeat_end(std::string_view text, std::size_t at, bool bracketed) {
  const std::string_view rest = text.substr(at);
  for (const auto& [open, close] : kRepeats) {
    if (!rest.starts_with(open)) continue;
    const std::size_t count = close.empty() ? std::size_t{is_digit(char_at(rest, open.size()))}
                                            : digits_at(rest, open.size());
    if (count > 0 && rest.substr(open.size() + count).starts_with(close))
      return at + open.size() + count + close.size();
  }
  if (bracketed && rest.starts_with("(")) {
    const std::size_t count = digits_at(rest, 1);
    if (count > 0 && char_at(rest, 1 + count) == ')') return at + count + 2;
  }
  const auto dot_end = [&](std::size_t from) {
    const bool dotted = text.substr(from).starts_with("\\dot{") &&
                        is_digit(char_at(text, from + 5)) && char_at(text, from + 6) == '}';
    return dotted ? from + 7 : from;
  };
  const std::size_t first = dot_end(at);
  if (first == at) return at;
  const std::size_t last = first + digits_at(text, first);
  const std::size_t end = dot_end(last);
  return end > last ? end : first;
}

std::size_t exponent_end(std::string_view text, std::size_t at) {
  if (to_lower(char_at(text, at)) != 'e') return at;
  const char sign = char_at(text, at + 1);
  const std::size_t from = at + 1 + std::size_t{sign == '-' || sign == '+'};
  const std::size_t digits = digits_at(text, from);
  return digits == 0 ? at : from + digits;
}

std::optional<Rational> repeating(const std::string& whole, const std::string& fraction,
                                  const std::string& period) {
  if (whole.size() + fraction.size() + period.size() > kMaxDigits) return std::nullopt;
  const Natural once = Natural::parse(whole + fraction);
  const Natural twice = Natural::parse(whole + fraction + period);
  const Natural nines = Natural::power_of_ten(period.size()) - Natural{1};
  return Rational{false, twice - once, nines * Natural::power_of_ten(fraction.size())};
}

// The parts of a numeral that is not only digits.
struct Parts {
  std::string whole, fraction, period;
  std::int64_t exponent = 0;
  bool readable = true;
};

Parts parts_of(std::string_view numeral) {
  Parts parts;
  std::string* into = &parts.whole;
  for (std::size_t i = 0; i < numeral.size(); ++i) {
    const char c = numeral[i];
    if (is_digit(c)) {
      *into += c;
    } else if (c == '.') {
      into = &parts.fraction;
    } else if (c == '(' || (c == '\\' && is_alpha(char_at(numeral, i + 1)))) {
      into = &parts.period;
      while (is_alpha(char_at(numeral, i + 1))) ++i;  // the e of \overline is no exponent
    } else if (to_lower(c) == 'e') {
      const std::string digits(numeral.substr(i + 1));
      parts.readable = digits.size() <= kMaxExponentDigits;
      if (parts.readable) parts.exponent = std::stoll(digits);
      break;
    }
  }
  return parts;
}

}  // namespace

std::size_t numeral_length(std::string_view text) {
  const std::size_t whole = digits_at(text, 0);
  const bool point_first = whole == 0;
  if (point_first && !(char_at(text, 0) == '.' && is_digit(char_at(text, 1)))) return 0;
  std::size_t end = point_first ? 0 : grouped_end(text, 0, whole);
  bool repeats = false;
  if (char_at(text, end) == '.') {
    const bool zero = text.substr(0, end) == "0";
    const std::size_t fraction = end + 1 + digits_at(text, end + 1);
    const std::size_t repeated = repeat_end(text, fraction, zero);
    repeats = repeated > fraction;
    if (repeats || char_at(text, fraction) != '.') end = repeated;
  }
  return repeats ? end : exponent_end(text, end);
}

std::optional<Rational> numeral_value(std::string_view numeral) {
  if (digits_at(numeral, 0) == numeral.size()) {
    if (numeral.size() > kMaxDigits) return std::nullopt;
    return Rational{false, Natural::parse(numeral), Natural{1}};
  }
  const Parts parts = parts_of(numeral);
  if (!parts.readable) return std::nullopt;
  if (!parts.period.empty()) return repeating(parts.whole, parts.fraction, parts.period);
  if (parts.whole.size() + parts.fraction.size() > kMaxDigits) return std::nullopt;
  return Decimal::of(parts.whole, parts.fraction, parts.exponent).rational();
}

}  // namespace orchestrator
