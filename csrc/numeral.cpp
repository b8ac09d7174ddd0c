#include "numeral.hpp"

#include <algorithm>
#include <utility>

#include "latex.hpp"
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
    {{"US$", "$"},   {"$", "$"},    {"€", "€"},    {"£", "£"},   {"¥", "¥"},   {"₹", "₹"},
     {"USD", "$"},   {"EUR", "€"},  {"GBP", "£"},  {"JPY", "¥"}, {"INR", "₹"}, {"Rs.", "₹"},
     {"Rs", "₹"},    {"CNY", "yuan"}, {"C$", "C$"}, {"CAD", "C$"}, {"A$", "A$"}, {"AUD", "A$"},
     {"CHF", "CHF"}, {"₩", "₩"},    {"KRW", "₩"},  {"₽", "₽"}}};

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

// Marks over a digit that repeats: a line (two code points are in use) and a dot.
constexpr std::string_view kMacron = "\u0304", kOverline = "\u0305", kDotAbove = "\u0307";

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

// whole.fraction with `period` repeated for ever: with n digits in the fraction and k in the
// period, the difference of the numbers before and after the first period over 10^n (10^k - 1).
std::optional<Numeral> repeating_value(std::string_view whole, std::string_view fraction,
                                       std::string_view period) {
  if (whole.size() + fraction.size() + period.size() > kMaxDigits) return std::nullopt;
  const std::string before = std::string(whole).append(fraction);
  const std::string after = std::string(before).append(period);
  const Natural nines = Natural::power_of_ten(period.size()) - Natural{1};
  return limited(Rational{false, Natural::parse(after) - Natural::parse(before),
                          Natural::power_of_ten(fraction.size()) * nines});
}

// How many digits at the end of `fraction` are written out often enough before an ellipsis to be
// a period: three times, or twice when three digits or more are all that stands after the point
// (2.718281828... is no period of 1828). 0 when none are.
std::size_t repeated_at_end(std::string_view fraction) {
  const std::size_t n = fraction.size();
  if (n > kMaxDigits) return 0;
  for (std::size_t period = 1; 2 * period <= n; ++period) {
    const std::size_t repeats = 2 * period == n && period >= 3 ? 2 : 3;
    if (repeats * period > n) continue;
    const std::string_view tail = fraction.substr(n - repeats * period);
    if (tail.substr(period) == tail.substr(0, tail.size() - period)) return period;
  }
  return 0;
}

bool starts_with_command(std::string_view text, std::string_view command) {
  return text.starts_with(command) && !is_alpha(char_at(text, command.size()));
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
  for (const std::string_view word : kFillers) {
    if (starts_with_word(rest(), word) && char_after(word.size()) == ' ') {
      at_ += word.size() + 1;
      return true;
    }
  }
  return false;
}

bool NumeralReader::skip_currency() {
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

// ---- decimals

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

// The digits of a whole number, grouped or not.
std::string NumeralReader::whole_part() {
  const std::string_view first = digits();
  const char separator = peek();
  if (first.empty() || first.size() > 3 || first[0] == '0' || !is_digit(char_after(1)))
    return std::string(first);
  const std::size_t before = at_;
  std::optional<std::string> all;
  if (separator == ',' || separator == '\'' || (separator == ' ' && !style_.prose))
    all = grouped(first, separator);
  if (!all && separator == ',' && style_.regional) all = indian_groups(first);
  if (!all && separator == '.' && style_.regional && !style_.prose) all = dotted_groups(first);
  if (all) return *std::move(all);
  at_ = before;
  return std::string(first);
}

// 1,234 and 1 234: groups of exactly three; 1,234,56 and 1 234/5 are not groups after all.
std::optional<std::string> NumeralReader::grouped(std::string_view first, char separator) {
  const std::size_t before = at_;
  std::string all(first);
  while (peek() == separator && digits_at(at_ + 1) == 3) {
    ++at_;
    all += digits();
  }
  const bool torn = (peek() == separator && separator != ' ' && is_digit(char_after(1))) ||
                    (separator == ' ' && peek() == '/');
  if (all.size() > first.size() && !torn) return all;
  at_ = before;
  return std::nullopt;
}

// 12,34,567: groups of two, and one of three at the end.
std::optional<std::string> NumeralReader::indian_groups(std::string_view first) {
  const std::size_t before = at_;
  std::string all(first);
  while (first.size() <= 2 && peek() == ',' && digits_at(at_ + 1) == 2) {
    ++at_;
    all += digits();
  }
  if (at_ > before && peek() == ',' && digits_at(at_ + 1) == 3) {
    ++at_;
    all += digits();
    if (peek() != ',' || !is_digit(char_after(1))) return all;
  }
  at_ = before;
  return std::nullopt;
}

// 1.234.567 and 1.234,5: points as separators, told by there being two or by a comma after them.
std::optional<std::string> NumeralReader::dotted_groups(std::string_view first) {
  const std::size_t before = at_;
  std::string all(first);
  std::size_t groups = 0;
  for (; peek() == '.' && digits_at(at_ + 1) == 3; ++groups) {
    ++at_;
    all += digits();
  }
  const bool comma = peek() == ',' && is_digit(char_after(1));
  const bool torn = peek() == '.' && is_digit(char_after(1));
  if (!torn && (groups >= 2 || (groups == 1 && comma))) return all;
  at_ = before;
  return std::nullopt;
}

std::optional<NumeralReader::Literal> NumeralReader::decimal() {
  const std::size_t start = at_;
  const std::string whole = whole_part();
  std::string_view fraction;
  const std::size_t point = at_;
  const bool comma_grouped = text_.substr(start, at_ - start).find(',') != std::string_view::npos;
  if (peek() == '.') {
    ++at_;
    fraction = digits();
    if (auto value = repeating(whole, fraction)) return Literal{*std::move(value), false};
    if (fraction.empty()) at_ = point;
  } else if (peek() == ',' && style_.regional && !whole.empty() && !comma_grouped &&
             is_digit(char_after(1)) && char_at(text_, at_ + 1 + digits_at(at_ + 1)) != ',') {
    ++at_;
    fraction = digits();
  }
  if (whole.empty() && fraction.empty()) {
    at_ = start;
    return std::nullopt;
  }
  const std::size_t mantissa_end = at_;
  const std::int64_t exponent = scientific_exponent();
  return Literal{Decimal::of(whole, fraction, exponent), fraction.empty() && at_ == mantissa_end};
}

// e-3 after a mantissa; 0 and nothing consumed when there is none.
std::int64_t NumeralReader::scientific_exponent() {
  if (peek() != 'e' && peek() != 'E') return 0;
  std::size_t first = at_ + 1;
  const char sign = char_at(text_, first);
  if (sign == '-' || sign == '+') ++first;
  const std::size_t count = digits_at(first);
  if (count == 0 || count > kMaxExponentDigits || is_alpha(char_at(text_, first + count)))
    return 0;
  at_ = first + count;
  const std::int64_t exponent = std::stoll(std::string(text_.substr(first, count)));
  return sign == '-' ? -exponent : exponent;
}

// ---- repeating decimals

std::optional<Numeral> NumeralReader::repeating(std::string_view whole,
                                                std::string_view fraction) {
  const char next = peek();
  if (next != '\\' && next != '(' && next != '.' && !is_multibyte(next)) return std::nullopt;
  const std::size_t before = at_;
  if (!fraction.empty() && skip_ellipsis()) {
    if (const std::size_t period = repeated_at_end(fraction); period > 0) {
      return repeating_value(whole, fraction.substr(0, fraction.size() - period),
                             fraction.substr(fraction.size() - period));
    }
  } else if (is_multibyte(next)) {
    // The mark belongs to the digit before it.
    if (const auto period = period_after(fraction)) {
      return repeating_value(whole, fraction.substr(0, fraction.size() - 1), *period);
    }
  } else if (const auto period = period_after(fraction)) {
    return repeating_value(whole, fraction, *period);
  }
  at_ = before;
  return std::nullopt;
}

// The period in one of its notations; for marks over digits with the digit before the first mark.
std::optional<std::string> NumeralReader::period_after(std::string_view fraction) {
  if (peek() == '(') {
    if (!fraction.empty() && !style_.regional) return std::nullopt;  // 2.5(4) may be a product
    ++at_;
    const std::string_view period = digits();
    if (period.empty() || peek() != ')' || is_digit(char_after(1))) return std::nullopt;
    return ++at_, std::string(period);
  }
  if (starts_with_command(rest(), "\\dot")) return dotted_period();
  for (const std::string_view command : {"\\overline", "\\bar"}) {
    if (!starts_with_command(rest(), command)) continue;
    at_ += command.size();
    while (peek() == ' ') ++at_;
    if (is_digit(peek())) return std::string(1, text_[at_++]);
    if (peek() != '{') return std::nullopt;
    ++at_;
    const std::string_view period = digits();
    if (period.empty() || peek() != '}') return std::nullopt;
    return ++at_, std::string(period);
  }
  if (fraction.empty()) return std::nullopt;
  std::string period(1, fraction.back());
  const bool dots = rest().starts_with(kDotAbove);
  const std::string_view mark = dots                             ? kDotAbove
                                : rest().starts_with(kMacron)    ? kMacron
                                                                 : kOverline;
  if (!rest().starts_with(mark)) return std::nullopt;
  at_ += mark.size();
  if (dots) {  // the first and the last digit of the period have a dot each
    const std::string_view more = digits();
    if (more.empty()) return period;
    if (!rest().starts_with(mark)) return std::nullopt;
    at_ += mark.size();
    return period.append(more);
  }
  while (is_digit(peek())) {  // each digit of the period has a line
    if (!text_.substr(at_ + 1).starts_with(mark)) return std::nullopt;
    period += peek();
    at_ += 1 + mark.size();
  }
  return period;
}

// \dot{1}4285\dot{7}: from the first dot to the second, or one digit alone.
std::optional<std::string> NumeralReader::dotted_period() {
  const auto dotted = [this]() -> std::optional<char> {
    if (!starts_with_command(rest(), "\\dot")) return std::nullopt;
    const std::size_t start = at_;
    at_ += 4;
    while (peek() == ' ') ++at_;
    const bool braced = peek() == '{';
    if (braced) ++at_;
    const char digit = peek();
    if (is_digit(digit) && (!braced || char_after(1) == '}')) {
      at_ += braced ? 2 : 1;
      return digit;
    }
    at_ = start;
    return std::nullopt;
  };
  const auto first = dotted();
  if (!first) return std::nullopt;
  std::string period(1, *first);
  const std::string_view between = digits();
  const auto last = dotted();
  if (!last) return between.empty() ? std::optional(period) : std::nullopt;
  return period.append(between).append(1, *last);
}

bool NumeralReader::skip_ellipsis() {
  for (const std::string_view dots : {"\\ldots", "\\dots", "\\cdots"}) {
    if (!starts_with_command(rest(), dots)) continue;
    at_ += dots.size();
    return true;
  }
  for (const std::string_view dots : {"...", "…"}) {
    if (!rest().starts_with(dots)) continue;
    at_ += dots.size();
    return true;
  }
  return false;
}

}  // namespace orchestrator
