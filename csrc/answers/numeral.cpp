#include "answers/numeral.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "answers/latex.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr int kMaxDepth = 8;  // fractions within fractions
constexpr int kMaxFactors = 16;
constexpr std::size_t kMaxExponentDigits = 9;

struct Named {
  std::string_view written, name;
};
constexpr std::array<Named, 22> kCurrencies{
    {{"US$", "$"},   {"$", "$"},      {"€", "€"},   {"£", "£"},    {"¥", "¥"},   {"₹", "₹"},
     {"USD", "$"},   {"EUR", "€"},    {"GBP", "£"}, {"JPY", "¥"},  {"INR", "₹"}, {"Rs.", "₹"},
     {"Rs", "₹"},    {"CNY", "yuan"}, {"C$", "C$"}, {"CAD", "C$"}, {"A$", "A$"}, {"AUD", "A$"},
     {"CHF", "CHF"}, {"₩", "₩"},      {"KRW", "₩"}, {"₽", "₽"}}};

struct Scale {
  std::string_view word;
  int places;
};
constexpr std::array<Scale, 9> kScaleWords{{{"percent", -2},
                                            {"per cent", -2},
                                            {"pct", -2},
                                            {"hundred", 2},
                                            {"thousand", 3},
                                            {"million", 6},
                                            {"billion", 9},
                                            {"trillion", 12},
                                            {"bn", 9}}};

constexpr std::array<std::string_view, 9> kFillers{"about",   "approximately", "approx.",
                                                   "roughly", "around",        "exactly",
                                                   "only",    "just",          "\\approx"};

std::optional<Numeral> limited(Rational value) {
  if (!value.within_limits()) return std::nullopt;
  return Numeral{std::move(value)};
}

std::optional<Numeral> product_of(const Numeral& a, const Numeral& b) {
  const auto left = rational(a), right = rational(b);
  return left && right ? limited(*left * *right) : std::nullopt;
}

std::optional<Numeral> quotient_of(const Numeral& a, const Numeral& b) {
  const auto left = rational(a), right = rational(b);
  if (!left || !right) return std::nullopt;
  auto result = *left / *right;
  return result ? limited(*std::move(result)) : std::nullopt;
}

std::optional<Numeral> shifted(const Numeral& value, std::int64_t places) {
  if (const auto* decimal = std::get_if<Decimal>(&value)) return Numeral{decimal->shifted(places)};
  return product_of(value, Numeral{Decimal::of("1", "", places)});
}

}  // namespace

Numeral negated(Numeral value) {
  if (auto* decimal = std::get_if<Decimal>(&value)) {
    decimal->negative = !decimal->negative && !decimal->digits.empty();
    return value;
  }
  return std::get<Rational>(value).negated();
}

std::optional<Rational> rational(const Numeral& value) {
  if (const auto* decimal = std::get_if<Decimal>(&value)) return decimal->rational();
  return std::get<Rational>(value);
}

std::string spelled(const Numeral& value) {
  if (const auto* decimal = std::get_if<Decimal>(&value)) return decimal->str();
  return std::get<Rational>(value).str();
}

// ---- around the digits

char NumeralReader::char_after(std::size_t ahead) const { return char_at(text_, at_ + ahead); }

void NumeralReader::skip_space() {
  while (peek() == ' ' || peek() == kTextMark) ++at_;
}

bool NumeralReader::skip_filler() {
  if (is_digit(peek())) return false;
  for (const std::string_view word : kFillers) {
    if (starts_with_word(rest(), word) && char_after(word.size()) == ' ') {
      at_ += word.size() + 1;
      return true;
    }
  }
  return false;
}

bool NumeralReader::skip_currency() {
  if (is_digit(peek()) || is_lower(peek())) return false;  // most answers
  for (const auto& [written, name] : kCurrencies) {
    if (!rest().starts_with(written)) continue;
    if (is_alpha(written.back()) && is_alpha(char_after(written.size()))) continue;
    at_ += written.size();
    currency_ = name;
    skip_space();
    return true;
  }
  return false;
}

bool NumeralReader::skip_closing_currency() {
  const std::size_t before = at_;
  skip_space();
  if (skip_currency()) return true;
  at_ = before;
  return false;
}

std::optional<Numeral> NumeralReader::number() {
  const std::size_t start = at_;
  skip_currency();
  bool negative = false;
  if (peek() == '-' || peek() == '+') {
    negative = peek() == '-';
    ++at_;
    skip_space();
  }
  skip_currency();
  auto value = product();
  if (!value) {
    at_ = start;
    return std::nullopt;
  }
  return negative ? negated(*std::move(value)) : value;
}

// Reads a word for a power of ten and gives its exponent, or 0.
int NumeralReader::scale_word() {
  const std::size_t before = at_;
  skip_space();
  for (const auto& [word, places] : kScaleWords) {
    if (!starts_with_word(rest(), word)) continue;
    at_ += word.size();
    return places < 0 && style_.percent == PercentRule::number ? 0 : places;
  }
  at_ = before;
  return 0;
}

std::optional<Numeral> NumeralReader::scaled(const Numeral& value) {
  if (at_ == text_.size()) return value;
  skip_closing_currency();
  const std::size_t before = at_;
  skip_space();
  if (peek() == '%') {
    ++at_;
    return style_.percent == PercentRule::number ? value : shifted(value, -2);
  }
  if (rest().starts_with("‰")) {
    at_ += std::string_view("‰").size();
    return shifted(value, -3);
  }
  if (starts_with_word(rest(), "dozen")) {
    at_ += 5;
    return product_of(value, Numeral{Decimal::of("12", "", 0)});
  }
  const std::size_t word = at_;
  const int places = scale_word();
  if (at_ > word) {
    const int more = scale_word();  // "hundred thousand"
    skip_closing_currency();
    return shifted(value, places + more);
  }
  const char letter = peek();
  const bool alone = is_alpha(letter) && !is_alnum(char_after(1));
  const bool money = !currency_.empty();
  if (alone && at_ == before && (money || style_.regional)) {
    if (letter == 'k' || letter == 'K') return ++at_, shifted(value, 3);
    if (money && (letter == 'm' || letter == 'M')) return ++at_, shifted(value, 6);
    if (money && (letter == 'b' || letter == 'B')) return ++at_, shifted(value, 9);
    if (letter == 'M' || letter == 'B' || letter == 'T') return std::nullopt;
  }
  at_ = before;
  return value;
}

// ---- products and factors

bool NumeralReader::skip_times() {
  const std::size_t before = at_;
  skip_space();
  if (peek() == '*' && char_after(1) != '*') {
    ++at_;
    skip_space();
    return true;
  }
  // "2 x 10^3": a letter x means times only before a power of ten.
  if ((peek() == 'x' || peek() == 'X') && (at_ > before || style_.regional)) {
    const std::string_view power = text_.substr(at_ + (char_after(1) == ' ' ? 2 : 1));
    if (power.starts_with("10^") || power.starts_with("10**")) {
      ++at_;
      skip_space();
      return true;
    }
  }
  at_ = before;
  return false;
}

std::optional<Numeral> NumeralReader::product() {
  auto value = factor();
  for (int factors = 1; value && factors < kMaxFactors; ++factors) {
    const std::size_t before = at_;
    if (!skip_times()) break;
    const auto next = factor();
    if (!next) {
      at_ = before;
      break;
    }
    value = product_of(*value, *next);
  }
  return value;
}

std::optional<Numeral> NumeralReader::factor() {
  if (rest().starts_with("\\frac")) return fraction();
  const std::size_t start = at_;
  const auto literal = decimal();
  if (!literal) return std::nullopt;
  std::optional<Numeral> value = literal->value;
  if (at_ == text_.size()) return value;
  if (skip_power()) {
    value = literal->plain ? power(std::get<Decimal>(literal->value)) : std::nullopt;
  } else if (literal->plain && fraction_follows()) {
    const auto whole = rational(literal->value);
    value = whole ? mixed(*whole) : std::nullopt;
  } else {
    value = over(*value);
  }
  if (!value) at_ = start;
  return value;
}

// Whether what follows a whole number makes it mixed: \frac, or " 1/2", or " and 1/2".
bool NumeralReader::fraction_follows() const {
  std::size_t next = at_;
  while (char_at(text_, next) == ' ') ++next;
  if (text_.substr(next).starts_with("\\frac")) return true;
  if (next == at_) return false;
  if (style_.regional && starts_with_folded(text_.substr(next), "and ")) next += 4;
  const std::size_t slash = next + digits_at(next);
  if (slash == next || char_at(text_, slash) != '/') return false;
  const std::size_t below = digits_at(slash + 1);
  const char after = char_at(text_, slash + 1 + below);
  return below > 0 && after != '/' && after != '.';
}

std::optional<Numeral> NumeralReader::mixed(const Rational& whole) {
  while (peek() == ' ') ++at_;
  std::optional<Numeral> part;
  if (peek() == '\\') {
    part = fraction();
  } else {
    if (!is_digit(peek())) at_ += 4;  // "and "
    const Numeral above = Decimal::of(digits(), "", 0);
    ++at_;  // the slash
    part = quotient_of(above, Numeral{Decimal::of(digits(), "", 0)});
  }
  const auto exact = part ? rational(*part) : std::nullopt;
  if (!exact || exact->negative() || !(exact->numerator() < exact->denominator()))
    return std::nullopt;
  return limited(whole + *exact);
}

// value [ "/" [sign] decimal ]
std::optional<Numeral> NumeralReader::over(const Numeral& value) {
  const std::size_t before = at_;
  if (peek() == ' ') ++at_;
  if (peek() != '/') return at_ = before, value;
  ++at_;
  if (peek() == ' ') ++at_;
  bool negative = false;
  if (peek() == '-' && is_digit(char_after(1))) negative = true, ++at_;
  const auto below = decimal();
  if (!below) return at_ = before, value;
  auto result = quotient_of(value, below->value);
  if (!result) return std::nullopt;
  return negative ? negated(*std::move(result)) : result;
}

// ^ or ** before an exponent. Stars that no exponent follows are emphasis.
bool NumeralReader::skip_power() {
  if (peek() == '^') return ++at_, true;
  std::size_t next = at_;
  if (char_at(text_, next) == ' ') ++next;
  if (!text_.substr(next).starts_with("**")) return false;
  const bool spaced = next > at_;
  next += 2;
  if (spaced && char_at(text_, next) == ' ') ++next;
  const std::size_t first = next + (char_at(text_, next) == '-' ? 1 : 0);
  if (!is_digit(char_at(text_, first))) return false;
  at_ = next;
  return true;
}

std::optional<Numeral> NumeralReader::power(const Decimal& base) {
  const bool braced = peek() == '{';
  if (braced) ++at_, skip_space();
  bool negative = false;
  if (peek() == '-' || peek() == '+') negative = peek() == '-', ++at_, skip_space();
  const std::string_view written = digits();
  if (braced) {
    skip_space();
    if (peek() != '}') return std::nullopt;
    ++at_;
  }
  if (written.empty() || written.size() > kMaxExponentDigits) return std::nullopt;
  const std::int64_t exponent = std::stoll(std::string(written));
  if (base.digits.empty())
    return std::nullopt;  // 0^0 and 0^-1 have no value; 0^2 is not worth a case
  if (base.digits == "1")
    return Numeral{Decimal::of("1", "", base.exponent * (negative ? -exponent : exponent))};
  const auto exact = base.rational();
  if (!exact || exponent > static_cast<std::int64_t>(4 * kMaxDigits)) return std::nullopt;
  // A plain literal is whole, so its denominator is one.
  Natural result{1}, square = exact->numerator();
  for (std::int64_t left = exponent; left > 0; left /= 2) {
    if (left % 2 == 1) result = result * square;
    if (result.digits() > kMaxDigits || square.digits() > kMaxDigits) return std::nullopt;
    if (left > 1) square = square * square;
  }
  return limited(negative ? Rational{false, Natural{1}, result}
                          : Rational{false, result, Natural{1}});
}

std::optional<Numeral> NumeralReader::fraction() {
  const std::size_t start = at_;
  at_ += 5;  // \frac
  const auto above = argument();
  const auto below = above ? argument() : std::nullopt;
  auto value = below ? quotient_of(*above, *below) : std::nullopt;
  if (!value) at_ = start;
  return value;
}

std::optional<Numeral> NumeralReader::argument() {
  while (peek() == ' ') ++at_;
  if (is_digit(peek())) return Numeral{Decimal::of(text_.substr(at_++, 1), "", 0)};
  if (peek() != '{' || depth_ >= kMaxDepth) return std::nullopt;
  NumeralReader inside(text_, at_ + 1, style_, depth_ + 1);
  inside.skip_space();
  const auto value = inside.number();
  inside.skip_space();
  if (!value || inside.peek() != '}') return std::nullopt;
  at_ = inside.at_ + 1;
  return value;
}

// ---- digits

std::string_view NumeralReader::digits() {
  const std::size_t count = digits_at(at_);
  at_ += count;
  return text_.substr(at_ - count, count);
}

std::size_t NumeralReader::digits_at(std::size_t from) const {
  std::size_t end = from;
  while (is_digit(char_at(text_, end))) ++end;
  return end - from;
}

std::optional<Literal> NumeralReader::decimal() {
  DecimalReader reader(text_, at_, style_);
  auto literal = reader.read();
  at_ = reader.at();
  return literal;
}

}  // namespace orchestrator
