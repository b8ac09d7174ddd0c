#include "arithmetic.hpp"

#include <utility>
#include <vector>

#include "rational.hpp"

namespace orchestrator {
namespace {

enum class Kind { number, plus, minus, times, over, open, close, percent };

struct Token {
  Kind kind;
  std::size_t begin, end;
  std::optional<Rational> value;
};

struct Symbol {
  std::string_view text;
  Kind kind;
};

constexpr Symbol kSymbols[] = {
    {"+", Kind::plus},       {"-", Kind::minus},       {"*", Kind::times},
    {"/", Kind::over},       {"(", Kind::open},        {")", Kind::close},
    {"%", Kind::percent},    {"\u00d7", Kind::times},  {"\u00b7", Kind::times},
    {"\u22c5", Kind::times}, {"\u00f7", Kind::over},   {"\u2212", Kind::minus},
    {"\u2013", Kind::minus}, {"\\times", Kind::times}, {"\\cdot", Kind::times},
    {"\\div", Kind::over},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Splits a text into runs of tokens; whatever is none ends a run.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The next run, empty at the end of the text.
  std::vector<Token> next_run() {
    std::vector<Token> run;
    while (at_ < text_.size()) {
      if (text_[at_] == ' ' || text_[at_] == '\t') {
        ++at_;
      } else if (auto token = next_token(run)) {
        run.push_back(std::move(*token));
      } else if (!run.empty()) {
        return run;
      } else {
        skip();
      }
    }
    return run;
  }

 private:
  std::optional<Token> next_token(const std::vector<Token>& run) {
    const std::size_t digits = at_ + (text_[at_] == '$' ? 1 : 0);
    if (digits < text_.size() && starts_number(digits)) return number(digits);
    // 3 x 4, but not a word.
    if (text_[at_] == 'x' && !run.empty() && run.back().kind == Kind::number && times_follows()) {
      return Token{Kind::times, at_, at_ += 1, {}};
    }
    for (const Symbol& symbol : kSymbols) {
      if (text_.substr(at_, symbol.text.size()) == symbol.text) {
        const std::size_t begin = at_;
        return Token{symbol.kind, begin, at_ += symbol.text.size(), {}};
      }
    }
    return std::nullopt;
  }

  bool starts_number(std::size_t at) const {
    if (at > 0 && is_letter(text_[at - 1])) return false;  // part of a word such as x2
    return is_digit(text_[at]) ||
           (text_[at] == '.' && at + 1 < text_.size() && is_digit(text_[at + 1]));
  }

  bool times_follows() const {
    std::size_t at = at_ + 1;
    while (at < text_.size() && text_[at] == ' ') ++at;
    return at < text_.size() && (is_digit(text_[at]) || text_[at] == '$' || text_[at] == '(');
  }

  bool group_follows(std::size_t comma) const {
    if (text_[comma] != ',') return false;
    for (std::size_t i = 1; i <= 3; ++i) {
      if (comma + i >= text_.size() || !is_digit(text_[comma + i])) return false;
    }
    return comma + 4 >= text_.size() || !is_digit(text_[comma + 4]);
  }

  std::optional<Token> number(std::size_t at) {
    const std::size_t begin = at_;
    std::string digits;
    std::size_t decimals = 0;
    while (at < text_.size() && (is_digit(text_[at]) || group_follows(at))) {
      if (is_digit(text_[at])) digits += text_[at];
      ++at;
    }
    if (at + 1 < text_.size() && text_[at] == '.' && is_digit(text_[at + 1])) {
      for (++at; at < text_.size() && is_digit(text_[at]); ++at, ++decimals) digits += text_[at];
    }
    at_ = at;
    Token token{Kind::number, begin, at, {}};
    if (digits.size() <= kMaxDigits) {
      token.value.emplace(false, Natural::parse(digits), Natural::power_of_ten(decimals));
    }
    return token;
  }

  // Passes what can start no token; a word is passed whole, so that its digits are not read as a
  // number.
  void skip() {
    if (!is_letter(text_[at_])) {
      ++at_;
      return;
    }
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Evaluates tokens from left to right; nullopt for what is no expression, divides by zero, or grows
// too large.
class Parser {
 public:
  Parser(const std::vector<Token>& tokens, std::size_t begin) : tokens_(tokens), at_(begin) {}

  std::optional<Rational> sum(std::size_t depth) {
    std::optional<Rational> left = term(depth);
    while (left && (is(Kind::plus) || is(Kind::minus))) {
      // An operator with nothing behind it ends the expression: the text was cut, or a dash
      // follows.
      const std::size_t before = at_;
      const bool minus = tokens_[at_++].kind == Kind::minus;
      const std::optional<Rational> right = term(depth);
      if (!right) {
        if (divided_by_zero_) return std::nullopt;
        at_ = before;
        break;
      }
      left = limited(*left + (minus ? right->negated() : *right));
    }
    return left;
  }

  std::size_t at() const { return at_; }

 private:
  std::optional<Rational> term(std::size_t depth) {
    std::optional<Rational> left = factor(depth);
    while (left && (is(Kind::times) || is(Kind::over))) {
      const std::size_t before = at_;
      const bool over = tokens_[at_++].kind == Kind::over;
      const std::optional<Rational> right = factor(depth);
      if (!right) {
        if (divided_by_zero_) return std::nullopt;
        at_ = before;
        break;
      }
      if (!over) {
        left = limited(*left * *right);
      } else if (const std::optional<Rational> quotient = *left / *right) {
        left = limited(*quotient);
      } else {
        divided_by_zero_ = true;
        return std::nullopt;
      }
    }
    return left;
  }

  std::optional<Rational> factor(std::size_t depth) {
    bool negative = false;
    if (is(Kind::minus) || is(Kind::plus)) negative = tokens_[at_++].kind == Kind::minus;
    std::optional<Rational> value;
    if (is(Kind::open)) {
      if (depth >= kMaxNesting) return std::nullopt;
      ++at_;
      value = sum(depth + 1);
      if (!value || !is(Kind::close)) return std::nullopt;
      ++at_;
    } else if (is(Kind::number)) {
      value = tokens_[at_++].value;
    }
    if (value && is(Kind::percent)) {
      ++at_;
      value = limited(*value * Rational(false, Natural(1), Natural(100)));
    }
    return value && negative ? value->negated() : value;
  }

  bool is(Kind kind) const { return at_ < tokens_.size() && tokens_[at_].kind == kind; }

  static std::optional<Rational> limited(const Rational& value) {
    if (!value.within_limits()) return std::nullopt;
    return value;
  }

  const std::vector<Token>& tokens_;
  std::size_t at_;
  bool divided_by_zero_ = false;
};

struct Reading {
  std::optional<FoundExpression> with_operator;
  std::optional<FoundExpression> bare;
  bool unreadable = false;  // the last one with an operator has no value
};

bool is_operator(Kind kind) {
  return kind == Kind::plus || kind == Kind::minus || kind == Kind::times || kind == Kind::over;
}

// Reads the expressions of a run, one after the other.
void read_run(const std::vector<Token>& run, Reading& reading) {
  for (std::size_t begin = 0; begin < run.size();) {
    Parser parser(run, begin);
    const std::optional<Rational> value = parser.sum(0);
    const std::size_t end = parser.at();
    if (!value) {
      // An expression without a value must not let an earlier one speak for it.
      if (end > begin + 1 || run[begin].kind == Kind::number) {
        reading.with_operator.reset();
        reading.unreadable = true;
      }
      begin = end > begin ? end : begin + 1;
      continue;
    }
    FoundExpression found{value->str(), run[begin].begin, run[end - 1].end};
    bool has_operator = false;  // beyond a sign in front
    for (std::size_t i = begin + 1; i < end; ++i) has_operator |= is_operator(run[i].kind);
    if (has_operator) {
      reading.with_operator = std::move(found);
      reading.unreadable = false;
    } else {
      reading.bare = std::move(found);
    }
    begin = end;
  }
}

}  // namespace

std::optional<FoundExpression> find_expression(std::string_view text) {
  Scanner scanner(text);
  Reading reading;
  for (std::vector<Token> run = scanner.next_run(); !run.empty(); run = scanner.next_run()) {
    if (run.size() <= kMaxTokens) read_run(run, reading);
  }
  if (reading.with_operator) return reading.with_operator;
  if (reading.unreadable) return std::nullopt;
  return reading.bare;
}

}  // namespace orchestrator
