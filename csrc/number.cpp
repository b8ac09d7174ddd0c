#include "number.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <variant>

#include "latex.hpp"
#include "rational.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr int kMaxDepth = 8;  // fractions within fractions
constexpr int kMaxFactors = 16;
constexpr std::size_t kMaxUnitWords = 6;
constexpr std::size_t kMaxExponentDigits = 9;

using Value = std::variant<Decimal, Rational>;

template <std::size_t N>
constexpr bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::optional<Rational> rational(const Value& value) {
  if (const auto* decimal = std::get_if<Decimal>(&value)) return decimal->rational();
  return std::get<Rational>(value);
}

std::optional<Value> limited(Rational value) {
  if (!value.within_limits()) return std::nullopt;
  return Value{std::move(value)};
}

std::optional<Value> product(const Value& a, const Value& b) {
  const auto left = rational(a), right = rational(b);
  return left && right ? limited(*left * *right) : std::nullopt;
}

std::optional<Value> quotient(const Value& a, const Value& b) {
  const auto left = rational(a), right = rational(b);
  if (!left || !right) return std::nullopt;
  auto result = *left / *right;
  return result ? limited(*std::move(result)) : std::nullopt;
}

std::optional<Value> shifted(const Value& value, std::int64_t places) {
  if (const auto* decimal = std::get_if<Decimal>(&value)) return Value{decimal->shifted(places)};
  return product(value, Value{Decimal::of("1", "", places)});
}

Value negated(Value value) {
  if (auto* decimal = std::get_if<Decimal>(&value)) {
    decimal->negative = !decimal->negative && !decimal->digits.empty();
    return value;
  }
  return std::get<Rational>(value).negated();
}

std::string spelled(const Value& value) {
  if (const auto* decimal = std::get_if<Decimal>(&value)) return decimal->str();
  return std::get<Rational>(value).str();
}

// A reader over simplified text. Each method consumes what it reads and consumes nothing when it
// declines.
class Reader {
 public:
  Reader(std::string_view text, std::size_t at, bool decimal_comma, bool spaced_groups,
         int depth = 0)
      : text_(text),
        at_(at),
        decimal_comma_(decimal_comma),
        spaced_groups_(spaced_groups),
        depth_(depth) {}

  std::size_t at() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }

  std::optional<Value> product() {
    auto value = factor();
    for (int factors = 1; value && factors < kMaxFactors; ++factors) {
      const std::size_t before = at_;
      skip_space();
      // "2 x 10^3": a letter x means times only before a power of ten.
      const bool letter = at_ > before && (peek() == 'x' || peek() == 'X') &&
                          text_.substr(at_ + 1).starts_with(" 10^");
      if (peek() != '*' && !letter) {
        at_ = before;
        break;
      }
      ++at_;
      skip_space();
      auto next = factor();
      if (!next) {
        at_ = before;
        break;
      }
      value = orchestrator::product(*value, *next);
    }
    return value;
  }

  // [currency] [sign] [currency] product
  std::optional<Value> number() {
    const std::size_t start = at_;
    currency_ = skip_currency();
    bool negative = false;
    if (peek() == '-' || peek() == '+') {
      negative = peek() == '-';
      ++at_;
      skip_space();
    }
    currency_ = skip_currency() || currency_;
    auto value = product();
    if (!value) {
      at_ = start;
      return std::nullopt;
    }
    return negative ? negated(*std::move(value)) : value;
  }

  // Percent signs and words for powers of ten after a number; none when a letter there has no one
  // meaning.
  std::optional<Value> scale(Value value, bool letters) {
    currency_ = skip_closing_currency() || currency_;
    const std::size_t before = at_;
    skip_space();
    if (peek() == '%') {
      ++at_;
      return shifted(value, -2);
    }
    if (starts_with_word(rest(), "dozen")) {
      at_ += 5;
      return orchestrator::product(value, Value{Decimal::of("12", "", 0)});
    }
    if (const int places = scale_word(); places != 0) {
      const int more = scale_word();  // "hundred thousand"
      return shifted(value, places + more);
    }
    const char letter = peek();
    const bool alone = is_alpha(letter) && !is_alnum(char_at(text_, at_ + 1));
    if (alone && at_ == before && (currency_ || letters)) {
      if (letter == 'k' || letter == 'K') return ++at_, shifted(value, 3);
      if (currency_ && (letter == 'm' || letter == 'M')) return ++at_, shifted(value, 6);
      if (currency_ && (letter == 'b' || letter == 'B')) return ++at_, shifted(value, 9);
      if (letter == 'M' || letter == 'B' || letter == 'T') return std::nullopt;
    }
    at_ = before;
    return value;
  }

  bool skip_filler() {
    for (const std::string_view word : kFillers) {
      if (starts_with_word(rest(), word) && char_at(rest(), word.size()) == ' ') {
        at_ += word.size() + 1;
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::array<std::pair<std::string_view, int>, 9> kScaleWords{{{"percent", -2},
                                                                                {"per cent", -2},
                                                                                {"pct", -2},
                                                                                {"hundred", 2},
                                                                                {"thousand", 3},
                                                                                {"million", 6},
                                                                                {"billion", 9},
                                                                                {"trillion", 12},
                                                                                {"bn", 9}}};
  static constexpr std::array<std::string_view, 9> kFillers{"about",   "approximately", "approx.",
                                                            "roughly", "around",        "exactly",
                                                            "only",    "just",          "\\approx"};
  static constexpr std::array<std::string_view, 9> kCurrencies{"US$", "$",   "€",   "£",  "¥",
                                                               "₹",   "USD", "EUR", "GBP"};

  char peek() const { return char_at(text_, at_); }

  // Reads a word for a power of ten and gives its exponent, or 0.
  int scale_word() {
    const std::size_t before = at_;
    skip_space();
    for (const auto& [word, places] : kScaleWords) {
      if (!starts_with_word(rest(), word)) continue;
      at_ += word.size();
      return places;
    }
    at_ = before;
    return 0;
  }

  void skip_space() {
    while (peek() == ' ' || peek() == kTextMark) ++at_;
  }

  bool skip_currency() {
    for (const std::string_view sign : kCurrencies) {
      if (!rest().starts_with(sign)) continue;
      at_ += sign.size();
      skip_space();
      return true;
    }
    return false;
  }

  bool skip_closing_currency() {
    const std::size_t before = at_;
    skip_space();
    for (const std::string_view sign : kCurrencies) {
      if (!rest().starts_with(sign)) continue;
      at_ += sign.size();
      return true;
    }
    at_ = before;
    return false;
  }

  std::string_view digits() {
    const std::size_t start = at_;
    while (is_digit(peek())) ++at_;
    return text_.substr(start, at_ - start);
  }

  std::size_t digits_at(std::size_t from) const {
    std::size_t end = from;
    while (is_digit(char_at(text_, end))) ++end;
    return end - from;
  }

  // 1,234 and 1 234: groups of exactly three after a first one of one to three that is not zero.
  std::string whole_part() {
    const std::string_view first = digits();
    std::string whole(first);
    const char separator = peek();
    const bool grouping = separator == ',' || (separator == ' ' && spaced_groups_);
    if (!grouping || first.empty() || first.size() > 3 || first[0] == '0') return whole;
    const std::size_t before = at_;
    std::string grouped = whole;
    while (peek() == separator && digits_at(at_ + 1) == 3) {
      ++at_;
      grouped += digits();
    }
    // 1,234,56 and 1 234/5 are not groups after all.
    const bool torn =
        (peek() == separator && separator == ',' && is_digit(char_at(text_, at_ + 1))) ||
        (separator == ' ' && peek() == '/');
    if (!torn) return grouped;
    at_ = before;
    return whole;
  }

  struct Literal {
    Value value;
    bool plain;  // digits only, without point or exponent
  };

  std::optional<Literal> decimal() {
    const std::size_t start = at_;
    const std::string whole = whole_part();
    std::string_view fraction;
    const char next = char_at(text_, at_ + 1);
    const bool comma = decimal_comma_ && peek() == ',' && !whole.empty() &&
                       at_ - start == whole.size() && is_digit(next) &&
                       char_at(text_, at_ + 1 + digits_at(at_ + 1)) != ',';
    if ((peek() == '.' && is_digit(next)) || comma) {
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
  std::int64_t scientific_exponent() {
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

  std::optional<Value> factor() {
    if (rest().starts_with("\\frac")) return fraction();
    const std::size_t start = at_;
    const auto literal = decimal();
    if (!literal) return std::nullopt;
    std::optional<Value> value = literal->value;
    if (peek() == '^') {
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

  // Whether what follows a whole number makes it mixed: \frac, or " 1/2".
  bool fraction_follows() const {
    std::size_t next = at_;
    while (char_at(text_, next) == ' ') ++next;
    if (text_.substr(next).starts_with("\\frac")) return true;
    if (next == at_) return false;
    const std::size_t slash = next + digits_at(next);
    if (slash == next || char_at(text_, slash) != '/') return false;
    const std::size_t below = digits_at(slash + 1);
    const char after = char_at(text_, slash + 1 + below);
    return below > 0 && after != '/' && after != '.';
  }

  std::optional<Value> mixed(const Rational& whole) {
    while (peek() == ' ') ++at_;
    std::optional<Value> part;
    if (peek() == '\\') {
      part = fraction();
    } else {
      const Value above = Decimal::of(digits(), "", 0);
      ++at_;  // the slash
      part = quotient(above, Value{Decimal::of(digits(), "", 0)});
    }
    const auto exact = part ? rational(*part) : std::nullopt;
    if (!exact || exact->negative() || !(exact->numerator() < exact->denominator()))
      return std::nullopt;
    return limited(whole + *exact);
  }

  // value [ "/" [sign] decimal ]
  std::optional<Value> over(const Value& value) {
    const std::size_t before = at_;
    if (peek() == ' ') ++at_;
    if (peek() != '/') return at_ = before, value;
    ++at_;
    if (peek() == ' ') ++at_;
    bool negative = false;
    if (peek() == '-' && is_digit(char_at(text_, at_ + 1))) negative = true, ++at_;
    const auto below = decimal();
    if (!below) return at_ = before, value;
    auto result = quotient(value, below->value);
    if (!result) return std::nullopt;
    return negative ? negated(*std::move(result)) : result;
  }

  std::optional<Value> power(const Decimal& base) {
    ++at_;  // the ^
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
      return Value{Decimal::of("1", "", base.exponent * (negative ? -exponent : exponent))};
    return small_power(base, exponent, negative);
  }

  static std::optional<Value> small_power(const Decimal& base, std::int64_t exponent,
                                          bool negative) {
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

  std::optional<Value> fraction() {
    const std::size_t start = at_;
    at_ += 5;  // \frac
    const auto above = argument();
    const auto below = above ? argument() : std::nullopt;
    auto value = below ? quotient(*above, *below) : std::nullopt;
    if (!value) at_ = start;
    return value;
  }

  std::optional<Value> argument() {
    while (peek() == ' ') ++at_;
    if (is_digit(peek())) return Value{Decimal::of(text_.substr(at_++, 1), "", 0)};
    if (peek() != '{' || depth_ >= kMaxDepth) return std::nullopt;
    Reader inside(text_, at_ + 1, decimal_comma_, spaced_groups_, depth_ + 1);
    inside.skip_space();
    const auto value = inside.number();
    inside.skip_space();
    if (!value || inside.peek() != '}') return std::nullopt;
    at_ = inside.at_ + 1;
    return value;
  }

  std::string_view text_;
  std::size_t at_;
  bool decimal_comma_, spaced_groups_;
  int depth_;
  bool currency_ = false;
};

// Words after a number that change what it says, so that dropping them would merge different
// answers.
constexpr std::array<std::string_view, 48> kNotUnits{
    "am",    "pm",     "a.m",     "p.m",       "or",      "and",        "to",   "of",
    "plus",  "minus",  "times",   "more",      "less",    "than",       "at",   "by",
    "pi",    "sqrt",   "sin",     "cos",       "tan",     "log",        "ln",   "exp",
    "mod",   "inf",    "choose",  "factorial", "squared", "cubed",      "not",  "if",
    "ago",   "bc",     "ad",      "bce",       "ce",      "percentage", "half", "halves",
    "third", "thirds", "quarter", "quarters",  "fifths",  "tenths",     "over", "through"};

constexpr std::array<std::string_view, 24> kAttachedUnits{
    "cm",  "mm",  "km",   "kg",  "mg",   "ml",  "ft",  "in",  "lb", "lbs", "oz", "hr",
    "hrs", "min", "mins", "sec", "secs", "mph", "kmh", "kwh", "mi", "yd",  "nm", "hz"};

// One unit word: letters, parts joined by "/", and a power such as ^2 or ^{2} at the end.
bool unit_word(std::string_view word, Units units, bool marked, bool attached) {
  if (word.ends_with('.')) word.remove_suffix(1);
  for (const std::string_view power : {"^2", "^3", "^{2}", "^{3}"}) {
    if (word.ends_with(power)) {
      word.remove_suffix(power.size());
      break;
    }
  }
  if (word.empty() || one_of(lowered(word), kNotUnits)) return false;
  for (const char c : word) {
    if (!is_alpha(c) && !is_multibyte(c) && c != '/' && c != '-' && c != '\'' && c != '.')
      return false;
  }
  if (attached && !marked && word.size() == 1 &&
      std::string_view("xyzn").find(word[0]) != std::string_view::npos)
    return false;
  if (marked || units == Units::any) return true;
  if (attached) return one_of(lowered(word), kAttachedUnits);
  return word.size() >= 2 && std::all_of(word.begin(), word.end(), [](char c) {
           return is_lower(c) || is_multibyte(c) || c == '/' || c == '-' || c == '\'';
         });
}

// Whether all of `tail`, what follows a number, is a unit that may be dropped.
bool only_units(std::string_view tail, Units units) {
  bool marked = false, attached = true, degrees = false;
  std::size_t words = 0;
  while (!tail.empty()) {
    if (tail.front() == kTextMark) {
      marked = !marked;
      tail.remove_prefix(1);
    } else if (tail.front() == ' ' || tail.front() == '$') {
      attached = false;
      tail.remove_prefix(1);
    } else if (tail.starts_with("°") && words == 0 && !degrees) {
      degrees = true;
      tail.remove_prefix(2);
    } else {
      const std::size_t length = std::min(tail.find_first_of(" \x01"), tail.size());
      if (units == Units::strict || ++words > kMaxUnitWords) return false;
      const std::string_view after = tail.substr(length);
      // cm^2 with the unit alone in \text: the power follows the mark.
      const bool power = words > 1 && tail.front() == '^' &&
                         unit_word("aa" + std::string(tail.substr(0, length)), units, true, false);
      if (!power && (degrees ? units != Units::any
                             : !unit_word(tail.substr(0, length), units, marked, attached)))
        return false;
      attached = false;
      tail = after;
    }
  }
  return true;
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

}  // namespace

std::optional<std::string> parse_number(std::string_view text, Units units, bool decimal_comma) {
  text = trim(text);
  while (!text.empty() && text.front() == kTextMark && text.back() == kTextMark &&
         text.size() > 1) {
    text = trim(text.substr(1, text.size() - 2));
  }
  for (int i = 0; i < 4; ++i) text = without_brackets(text);
  Reader reader(text, 0, decimal_comma, true);
  reader.skip_filler();
  const auto value = reader.number();
  if (!value) return std::nullopt;
  const auto scaled = reader.scale(*value, units == Units::any);
  if (!scaled || !only_units(reader.rest(), units)) return std::nullopt;
  return spelled(*scaled);
}

namespace {

// Reads the number candidates of one line of simplified prose from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  NumberScan run(Which which) {
    NumberScan result;
    while (advance()) {
      if (enumeration() || step_label()) {
        skip_run();
        continue;
      }
      result = candidate();
      if (which == Which::first) return result;
    }
    return result;
  }

 private:
  // Moves to the next place where a number may begin, past digits that belong to a word (H2O, x2).
  bool advance() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\\' && text_.substr(at_).starts_with("\\frac")) return true;
      const bool point = c == '.' && is_digit(char_at(text_, at_ + 1)) && !is_digit(previous(at_));
      if (!is_digit(c) && !point) continue;
      if (!is_alpha(previous(at_)) && previous(at_) != '_') return true;
      while (is_alnum(char_at(text_, at_ + 1)) || char_at(text_, at_ + 1) == '_') ++at_;
    }
    return false;
  }

  char previous(std::size_t at) const { return at == 0 ? '\0' : text_[at - 1]; }

  void skip_run() {
    while (is_alnum(char_at(text_, at_)) || is_joiner(char_at(text_, at_))) ++at_;
  }

  static constexpr bool is_joiner(char c) {
    return c == ':' || c == '/' || c == '.' || c == ',' || c == '-' || c == '+' || c == '_';
  }

  // "3. Then ..." at the start of a line numbers the line.
  bool enumeration() const {
    const std::string_view before = text_.substr(0, at_);
    if (before.find_first_not_of(" #*(") != std::string_view::npos) return false;
    std::size_t end = at_;
    while (is_digit(char_at(text_, end))) ++end;
    const char mark = char_at(text_, end);
    return (mark == '.' || mark == ')') && char_at(text_, end + 1) == ' ' && end + 2 < text_.size();
  }

  bool step_label() const { return at_ >= 5 && starts_with_folded(text_.substr(at_ - 5), "step "); }

  NumberScan candidate() {
    const std::size_t start = at_;
    const Sign sign = sign_before(start);
    Reader reader(text_, start, true, false);
    auto value = reader.product();
    const std::size_t product_end = reader.at();
    if (value) value = reader.scale(*std::move(value), true);
    if (!value || sign.binary || bad_neighbours(start, product_end, reader.at())) {
      at_ = std::max(product_end, start + 1);
      skip_run();
      return {std::nullopt, true};
    }
    if (sign.negative) value = negated(*std::move(value));
    const std::size_t end = reader.at();
    skip_unit(end);
    return {FoundNumber{spelled(*value), sign.begin, end}, false};
  }

  // Past the unit after a number and its power, so that the 2 of m^2 is not the next number.
  void skip_unit(std::size_t end) {
    at_ = end;
    std::size_t unit = end;
    while (char_at(text_, unit) == ' ' || char_at(text_, unit) == kTextMark) ++unit;
    const std::size_t letters = unit;
    while (is_alpha(char_at(text_, unit))) ++unit;
    while (char_at(text_, unit) == kTextMark) ++unit;
    if (unit == letters || char_at(text_, unit) != '^') return;
    const std::size_t power = char_at(text_, unit + 1) == '{' ? unit + 2 : unit + 1;
    if (char_at(text_, power) == '2' || char_at(text_, power) == '3') at_ = power + 1;
  }

  struct Sign {
    bool negative = false;
    bool binary = false;  // an operator between this number and something before it
    std::size_t begin = 0;
  };

  // A sign counts when it touches the number (a currency may stand between) and no operand touches
  // it from the left: "is -5" and "=-5" are negative, "10-5" and "x-1" are expressions, "10 - 5"
  // ends with a 5.
  Sign sign_before(std::size_t start) const {
    std::size_t at = start;
    while (previous(at) == '$') --at;
    const char sign = previous(at);
    if (sign != '-' && sign != '+' && sign != '*' && sign != '/' && sign != '^') {
      std::size_t spaced = at;
      while (previous(spaced) == ' ') --spaced;
      const char far = spaced < at ? previous(spaced) : '\0';
      std::size_t operand = far == '-' ? spaced - 1 : 0;
      while (operand > 0 && previous(operand) == ' ') --operand;
      const char left = previous(operand);
      const bool unary = far == '-' && (left == '=' || left == '(' || left == '{' || left == ':');
      return {unary, false, unary ? spaced - 1 : at};
    }
    const char left = previous(at - 1);
    const bool operand = is_alnum(left) || left == ')' || left == '}' || left == ']';
    if (sign == '-' || sign == '+') return {sign == '-' && !operand, operand, at - 1};
    return {false, operand, at};
  }

  // Whether the number is a part of something that is no number: a date, a time, 2x, 3!, 2\sqrt{3},
  // {5}.
  bool bad_neighbours(std::size_t begin, std::size_t product_end, std::size_t end) const {
    const char left = previous(begin);
    if (left == '{' || (is_digit(left) && begin > 0) ||
        (is_joiner(left) && left != '+' && left != '-' && begin >= 2 &&
         is_digit(text_[begin - 2]))) {
      return true;
    }
    const char next = char_at(text_, end), after = char_at(text_, end + 1);
    std::size_t word = end;
    while (char_at(text_, word) == ' ') ++word;
    for (const std::string_view half : {"am", "pm", "a.m", "p.m", "o'clock"}) {
      if (starts_with_word(text_.substr(word), half)) return true;
    }
    if (next == '^' || next == '_' || (next == '!' && !(after == ' ' || after == '\0')))
      return true;
    if (is_joiner(next) && is_digit(after)) return true;
    if (end == product_end && is_alpha(next) && !is_alnum(after)) {
      return std::string_view("xyzntabcpqruvwief").find(next) != std::string_view::npos;
    }
    return next == '\\' && is_alpha(after) && !relation(text_.substr(end));
  }

  static bool relation(std::string_view rest) {
    constexpr std::array<std::string_view, 8> kRelations{
        "\\approx", "\\le", "\\ge", "\\ne", "\\to", "\\implies", "\\Rightarrow", "\\rightarrow"};
    return std::any_of(kRelations.begin(), kRelations.end(),
                       [&](std::string_view name) { return rest.starts_with(name); });
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

NumberScan scan_numbers(std::string_view text, Which which) { return Scanner(text).run(which); }

}  // namespace orchestrator
