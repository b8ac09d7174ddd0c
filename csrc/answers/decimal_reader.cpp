#include "answers/decimal_reader.hpp"

#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxExponentDigits = 9;

// Marks over a digit that repeats: a line (two code points are in use) and a dot.
constexpr std::string_view kMacron = "\u0304", kOverline = "\u0305", kDotAbove = "\u0307";

// whole.fraction with `period` repeated for ever: with n digits in the fraction and k in the
// period, the difference of the numbers before and after the first period over 10^n (10^k - 1).
std::optional<Rational> repeating_value(std::string_view whole, std::string_view fraction,
                                        std::string_view period) {
  if (whole.size() + fraction.size() + period.size() > kMaxDigits) return std::nullopt;
  const std::string before = std::string(whole).append(fraction);
  const std::string after = std::string(before).append(period);
  const Natural nines = Natural::power_of_ten(period.size()) - Natural{1};
  const Rational value{false, Natural::parse(after) - Natural::parse(before),
                       Natural::power_of_ten(fraction.size()) * nines};
  return value.within_limits() ? std::optional(value) : std::nullopt;
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

char DecimalReader::char_after(std::size_t ahead) const { return char_at(text_, at_ + ahead); }

std::string_view DecimalReader::digits() {
  const std::size_t count = digits_at(at_);
  at_ += count;
  return text_.substr(at_ - count, count);
}

std::size_t DecimalReader::digits_at(std::size_t from) const {
  std::size_t end = from;
  while (is_digit(char_at(text_, end))) ++end;
  return end - from;
}

// The digits of a whole number, grouped or not.
std::string DecimalReader::whole_part() {
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
std::optional<std::string> DecimalReader::grouped(std::string_view first, char separator) {
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
std::optional<std::string> DecimalReader::indian_groups(std::string_view first) {
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
std::optional<std::string> DecimalReader::dotted_groups(std::string_view first) {
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

std::optional<Literal> DecimalReader::read() {
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
std::int64_t DecimalReader::scientific_exponent() {
  if (peek() != 'e' && peek() != 'E') return 0;
  std::size_t first = at_ + 1;
  const char sign = char_at(text_, first);
  if (sign == '-' || sign == '+') ++first;
  const std::size_t count = digits_at(first);
  if (count == 0 || count > kMaxExponentDigits || is_alpha(char_at(text_, first + count))) return 0;
  at_ = first + count;
  const std::int64_t exponent = std::stoll(std::string(text_.substr(first, count)));
  return sign == '-' ? -exponent : exponent;
}

// ---- repeating decimals

std::optional<Rational> DecimalReader::repeating(std::string_view whole,
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
std::optional<std::string> DecimalReader::period_after(std::string_view fraction) {
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
  const std::string_view mark = dots                          ? kDotAbove
                                : rest().starts_with(kMacron) ? kMacron
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
std::optional<std::string> DecimalReader::dotted_period() {
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

bool DecimalReader::skip_ellipsis() {
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
