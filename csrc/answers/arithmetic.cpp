#include "answers/arithmetic.hpp"

#include <utility>
#include <vector>

#include "answers/date.hpp"
#include "rational.hpp"

namespace orchestrator {
namespace {

enum class Kind {
  number,
  plus,
  minus,
  times,
  over,
  power,
  open,
  close,
  percent,
  colon,
  date,
  variable,
  unknown
};

struct Token {
  Kind kind;
  std::size_t begin, end;
  std::optional<Rational> value;
};

struct Symbol {
  std::string_view text;
  Kind kind;
};

// Longer spellings come before their beginnings.
constexpr Symbol kSymbols[] = {
    {"**", Kind::power},     {"+", Kind::plus},        {"-", Kind::minus},
    {"*", Kind::times},      {"/", Kind::over},        {"^", Kind::power},
    {"(", Kind::open},       {")", Kind::close},       {"[", Kind::open},
    {"]", Kind::close},      {"{", Kind::open},        {"}", Kind::close},
    {"%", Kind::percent},    {"\u00d7", Kind::times},  {"\u00b7", Kind::times},
    {"\u22c5", Kind::times}, {"\u00f7", Kind::over},   {"\u2212", Kind::minus},
    {"\u2013", Kind::minus}, {"\\times", Kind::times}, {"\\cdot", Kind::times},
    {"\\div", Kind::over},
};

constexpr std::string_view kCurrencies[] = {"$", "\\$", "\u20ac", "\u00a3"};

struct Magnitude {
  std::string_view word;
  std::size_t zeros;
};

constexpr Magnitude kMagnitudes[] = {
    {"hundred", 2}, {"thousand", 3}, {"million", 6}, {"billion", 9}, {"trillion", 12},
};

// What LaTeX puts around formulas and brackets; it ends no expression and means nothing in one.
constexpr std::string_view kTransparent[] = {"\\left", "\\right", "\\,", "\\ ",
                                             "\\(",    "\\)",     "\\[", "\\]"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_operator(Kind kind) {
  return kind == Kind::plus || kind == Kind::minus || kind == Kind::times || kind == Kind::over ||
         kind == Kind::power;
}

// Splits a text into runs of tokens; whatever is none ends a run, but for what is glued to one,
// which is `unknown`.
class Scanner {
 public:
  explicit Scanner(std::string_view text)
      : text_(text), begin_(text.find_first_not_of(kWrapping)) {}

  // The next run, empty at the end of the text.
  std::vector<Token> next_run() {
    std::vector<Token> run;
    while (at_ < text_.size()) {
      if (text_[at_] == ' ' || text_[at_] == '\t') {
        ++at_;
      } else if (const std::size_t size = transparent()) {
        at_ += size;
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
  std::size_t transparent() const {
    for (const std::string_view word : kTransparent) {
      const std::size_t end = at_ + word.size();
      if (text_.substr(at_, word.size()) == word && (end >= text_.size() || !is_letter(text_[end])))
        return word.size();
    }
    return 0;
  }

  std::optional<Token> next_token(const std::vector<Token>& run) {
    std::size_t digits = at_;
    for (const std::string_view currency : kCurrencies) {
      if (text_.substr(at_, currency.size()) == currency) digits = at_ + currency.size();
    }
    while (digits > at_ && digits < text_.size() && text_[digits] == ' ') ++digits;
    const bool glued = !run.empty() && run.back().end == at_;
    if (starts_number(digits, glued && run.back().kind == Kind::times)) {
      const std::size_t date = glued ? 0 : date_length();
      if (date == 0) return number(digits);
      at_ += date;
      return Token{Kind::date, at_ - date, at_, {}};
    }
    if (is_letter(text_[at_])) return letters(run, glued);
    // 5! + 1, and 3! alone; after words it exclaims.
    if (text_[at_] == '!' && glued && (operator_follows(at_ + 1) || is_all(run))) return unknown(1);
    if (text_[at_] == ':' && stands_between(run)) {
      ++at_;
      return Token{Kind::colon, at_ - 1, at_, {}};
    }
    if (text_[at_] == '\\' && at_ + 1 < text_.size() && is_letter(text_[at_ + 1])) {
      if (!is_symbol()) return command();
    }
    if ((text_[at_] == '.' || text_[at_] == ',') && glued && at_ + 1 < text_.size() &&
        is_digit(text_[at_ + 1])) {
      return unknown(1);  // 1.5.2, 1,00
    }
    for (const Symbol& symbol : kSymbols) {
      if (text_.substr(at_, symbol.text.size()) != symbol.text) continue;
      const std::size_t begin = at_;
      if (run.empty() && is_operator(symbol.kind) && !glued_number(at_ + symbol.text.size())) {
        // Nothing stands before it: a bullet at a line's start, else the rest of something that was
        // not read.
        const bool bullet = at_line_start();
        at_ += symbol.text.size();
        if (bullet) return at_ < text_.size() ? next_token(run) : std::nullopt;
        return Token{Kind::unknown, begin, at_, {}};
      }
      return Token{symbol.kind, begin, at_ += symbol.text.size(), {}};
    }
    return std::nullopt;
  }

  bool is_symbol() const {
    for (const Symbol& symbol : kSymbols) {
      if (text_.substr(at_, symbol.text.size()) == symbol.text) return true;
    }
    return false;
  }

  // A word: `x` between numbers multiplies; one glued to a number or to a bracket behind it is
  // unknown; others end a run.
  std::optional<Token> letters(const std::vector<Token>& run, bool glued) {
    const bool between =
        !run.empty() && (run.back().kind == Kind::number || run.back().kind == Kind::close);
    if ((text_[at_] == 'x' || text_[at_] == 'X') && between && number_follows(at_ + 1)) {
      const std::size_t begin = at_;
      return Token{Kind::times, begin, ++at_, {}};
    }
    // "20% of 50"
    if (!run.empty() && run.back().kind == Kind::percent && text_.substr(at_, 3) == "of " &&
        number_follows(at_ + 3)) {
      at_ += 2;
      return Token{Kind::times, at_ - 2, at_, {}};
    }
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    const bool variable =
        end == at_ + 1 && text_[at_] != 'a' && text_[at_] != 'A' && text_[at_] != 'I';
    if (variable && !run.empty() && is_operator(run.back().kind)) {  // 5 + x
      ++at_;
      return Token{Kind::variable, at_ - 1, at_, {}};
    }
    const bool called = end < text_.size() && text_[end] == '(';
    if (!glued && !called) return std::nullopt;
    return unknown(end - at_);
  }

  std::optional<Token> command() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    if (name == "text" || name == "boxed" || name == "mathrm" || name == "quad")
      return std::nullopt;
    return unknown(end - at_);
  }

  Token unknown(std::size_t size) {
    const std::size_t begin = at_;
    at_ += size;
    return Token{Kind::unknown, begin, at_, {}};
  }

  // `multiplied`: the letter before is the x of 5x3.
  bool starts_number(std::size_t at, bool multiplied) const {
    if (at >= text_.size() || (at > 0 && is_letter(text_[at - 1]) && !multiplied)) return false;
    return is_digit(text_[at]) ||
           (text_[at] == '.' && at + 1 < text_.size() && is_digit(text_[at + 1]) &&
            (at == 0 || !is_digit(text_[at - 1])));
  }

  bool number_follows(std::size_t at) const {
    while (at < text_.size() && text_[at] == ' ') ++at;
    return at < text_.size() && (is_digit(text_[at]) || text_[at] == '$' || text_[at] == '(');
  }

  bool glued_number(std::size_t at) const {
    return at < text_.size() &&
           (is_digit(text_[at]) || text_[at] == '.' || text_[at] == '(' ||
            static_cast<unsigned char>(text_[at]) >= 0x80 || text_[at] == '$' || text_[at] == '*');
  }

  bool operator_follows(std::size_t at) const {
    while (at < text_.size() && text_[at] == ' ') ++at;
    return at < text_.size() && (text_[at] == '+' || text_[at] == '-' || text_[at] == '*' ||
                                 text_[at] == '/' || text_[at] == '^');
  }

  // Characters of the date that begins here: 2020-03-04, 03/04/2020. What could be a calculation is
  // none, so one of its numbers begins with a zero, or its year is one of the last two centuries.
  std::size_t date_length() const {
    constexpr std::size_t kLength = 10;
    const std::string_view written = text_.substr(at_, kLength);
    const std::size_t after = at_ + written.size();
    if (written.size() < kLength || (after < text_.size() && is_digit(text_[after]))) return 0;
    const std::size_t sign = written.find_first_not_of("0123456789");
    if (sign != 2 && sign != 4) return 0;
    const std::size_t year = sign == 4 ? 0 : 6;
    const bool recent = written.substr(year, 2) == "19" || written.substr(year, 2) == "20";
    const bool padded = written.find("-0") != written.npos || written.find("/0") != written.npos ||
                        written[0] == '0';
    return (recent || padded) && parse_date(written, DateForms::unmistakable) ? kLength : 0;
  }

  // Whether the number before is all there is in the text but for this sign and what wraps them.
  bool is_all(const std::vector<Token>& run) const {
    return run.size() == 1 && begin_ >= run[0].begin && begin_ < run[0].end &&
           text_.find_first_not_of(kWrapping, at_ + 1) == std::string_view::npos;
  }

  // 10:30 and 10 : 2, but not the label of "Step 1: 5 + 3".
  bool stands_between(const std::vector<Token>& run) const {
    if (run.empty() || run.back().kind != Kind::number) return false;
    const bool before = run.back().end < at_;
    const bool after = at_ + 1 < text_.size() && text_[at_ + 1] == ' ';
    return before == after && number_follows(at_ + 1);
  }

  bool at_line_start() const {
    std::size_t at = at_;
    while (at > 0 && (text_[at - 1] == ' ' || text_[at - 1] == '\t')) --at;
    return at == 0 || text_[at - 1] == '\n' || text_[at - 1] == '\r';
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
    std::size_t zeros = 0;
    while (const Magnitude* magnitude = magnitude_at(at)) {
      zeros += magnitude->zeros;
      at += 1 + magnitude->word.size();
    }
    at_ = at;
    Token token{Kind::number, begin, at, {}};
    if (digits.size() + zeros <= kMaxDigits) {
      token.value.emplace(false, Natural::parse(digits.append(zeros, '0')),
                          Natural::power_of_ten(decimals));
    }
    return token;
  }

  // " million" and its like at `at`; null for another word.
  const Magnitude* magnitude_at(std::size_t at) const {
    if (at >= text_.size() || text_[at] != ' ') return nullptr;
    for (const Magnitude& magnitude : kMagnitudes) {
      const std::size_t end = at + 1 + magnitude.word.size();
      if (text_.substr(at + 1, magnitude.word.size()) == magnitude.word &&
          (end >= text_.size() || !(is_letter(text_[end]) || is_digit(text_[end]))))
        return &magnitude;
    }
    return nullptr;
  }

  // Passes what can start no token; a word is passed whole, so that its digits are not read as a
  // number.
  void skip() {
    if (at_ >= text_.size()) return;  // a bullet ended the text
    if (!is_letter(text_[at_])) {
      ++at_;
      return;
    }
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
  }

  // What may stand around a number that is all there is.
  static constexpr std::string_view kWrapping = " \t\r\n$*.`\\()[]";

  std::string_view text_;
  std::size_t begin_;  // of what is no wrapping
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
      const std::size_t before = at_;
      const bool minus = tokens_[at_++].kind == Kind::minus;
      const std::optional<Rational> right = term(depth);
      if (!right) return ended(before, left);
      calculated_ = true;
      left = limited(*left + (minus ? right->negated() : *right));
    }
    return left;
  }

  std::size_t at() const { return at_; }
  bool calculated() const { return calculated_; }  // an operator between two values was applied
  bool failed() const { return failed_; }          // a value was asked for that there is none of

 private:
  std::optional<Rational> term(std::size_t depth) {
    std::optional<Rational> left = power(depth);
    while (left && (is(Kind::times) || is(Kind::over) || bracket_is_glued())) {
      const std::size_t before = at_;
      const bool over = is(Kind::over);
      if (!is(Kind::open)) ++at_;
      const std::optional<Rational> right = power(depth);
      if (!right) return ended(before, left);
      calculated_ = true;
      if (!over) {
        left = limited(*left * *right);
      } else {
        left = *left / *right;
        failed_ = failed_ || !left;
        if (left) left = limited(*left);
      }
    }
    return left;
  }

  // A sign is weaker than a power, and powers are taken from the right: -2^2 is -4, 2^3^2 is 512.
  std::optional<Rational> power(std::size_t depth) {
    bool negative = false;
    if (is(Kind::minus) || is(Kind::plus)) negative = tokens_[at_++].kind == Kind::minus;
    std::optional<Rational> value = factor(depth);
    if (value && is(Kind::power)) {
      const std::size_t before = at_++;
      const std::optional<Rational> exponent = power(depth);
      if (exponent) {
        calculated_ = true;
        value = raised(*value, *exponent);
      } else {
        value = ended(before, value);
      }
    }
    return value && negative ? value->negated() : value;
  }

  std::optional<Rational> factor(std::size_t depth) {
    std::optional<Rational> value;
    if (is(Kind::open)) {
      if (depth >= kMaxNesting) return std::nullopt;
      ++at_;
      value = sum(depth + 1);
      if (!value || !is(Kind::close)) return std::nullopt;
      ++at_;
    } else if (is(Kind::number)) {
      value = tokens_[at_++].value;
      failed_ = failed_ || !value;
    }
    if (value && is(Kind::percent)) {
      ++at_;
      value = limited(*value * Rational(false, Natural(1), Natural(100)));
    }
    return value;
  }

  std::optional<Rational> raised(const Rational& base, const Rational& exponent) {
    const std::string written = exponent.str();
    const bool negative = written.front() == '-';
    const std::string digits = negative ? written.substr(1) : written;
    std::optional<Rational> value = Rational(false, Natural(1), Natural(1));
    if (digits.find('/') != std::string::npos || digits.size() > 2 ||
        std::stoi(digits) > kMaxExponent) {
      failed_ = true;
      return std::nullopt;
    }
    for (int i = 0; i < std::stoi(digits) && value; ++i) value = limited(*value * base);
    if (value && negative) value = Rational(false, Natural(1), Natural(1)) / *value;
    failed_ = failed_ || !value;
    return value;
  }

  // An operator with nothing behind it ends the expression: the text was cut, or a dash follows.
  std::optional<Rational> ended(std::size_t before, const std::optional<Rational>& value) {
    if (failed_) return std::nullopt;
    at_ = before;
    stop_ = before;
    return value;
  }

  std::optional<Rational> limited(const Rational& value) {
    if (value.within_limits()) return value;
    failed_ = true;
    return std::nullopt;
  }

  bool is(Kind kind) const {
    return at_ < tokens_.size() && at_ != stop_ && tokens_[at_].kind == kind;
  }

  bool bracket_is_glued() const {
    return is(Kind::open) && at_ > 0 && tokens_[at_ - 1].end == tokens_[at_].begin;
  }

  const std::vector<Token>& tokens_;
  std::size_t at_;
  std::size_t stop_ = static_cast<std::size_t>(-1);
  bool calculated_ = false;
  bool failed_ = false;
};

struct Reading {
  std::optional<FoundExpression> calculation;
  std::optional<FoundExpression> bare;
  bool unreadable = false;  // the last calculation has no value

  void give_up() {
    calculation.reset();
    unreadable = true;
  }
};

bool has(const std::vector<Token>& run, bool (*test)(Kind)) {
  for (const Token& token : run) {
    if (test(token.kind)) return true;
  }
  return false;
}

// "1 * x" is a step of an equation: it has no value, and leaves what was calculated before.
bool is_step(const std::vector<Token>& run) {
  return run.size() == 3 && run[0].kind == Kind::number && is_operator(run[1].kind) &&
         run[2].kind == Kind::variable;
}

// A colon between two numbers makes a time or a ratio of them, which is no value; one that stands
// free before a calculation introduces it.
void read_run(const std::vector<Token>& run, Reading& reading);

void read_around_colons(const std::vector<Token>& run, Reading& reading) {
  const bool calculates = has(run, is_operator);
  std::size_t last = run.size() - 1;
  while (run[last].kind != Kind::colon) --last;
  const bool free = run[last].begin > run[last - 1].end;
  if (!calculates) {
    reading.bare.reset();
    return;
  }
  if (!free) return reading.give_up();
  read_run({run.begin() + static_cast<std::ptrdiff_t>(last) + 1, run.end()}, reading);
}

// Reads the expressions of a run, one after the other.
void read_run(const std::vector<Token>& run, Reading& reading) {
  if (has(run, [](Kind kind) { return kind == Kind::colon; }))
    return read_around_colons(run, reading);
  if (is_step(run)) {
    reading.bare.reset();
    return;
  }
  const bool strange = has(run, [](Kind kind) {
    return kind == Kind::unknown || kind == Kind::date || kind == Kind::variable;
  });
  if (run.size() > kMaxTokens || strange) {
    const bool called = strange && has(run, [](Kind kind) { return kind == Kind::open; });
    if (run.size() > kMaxTokens || called || has(run, is_operator) ||
        run.front().kind == Kind::unknown)
      reading.give_up();
    return;
  }
  for (std::size_t begin = 0; begin < run.size();) {
    Parser parser(run, begin);
    const std::optional<Rational> value = parser.sum(0);
    const std::size_t end = parser.at();
    if (!value) {
      // A calculation without a value must not let an earlier one, or what is left of it, speak for
      // it.
      if (parser.calculated() || parser.failed()) {
        reading.give_up();
        return;
      }
      begin = end > begin ? end : begin + 1;
      continue;
    }
    FoundExpression found{value->str(), run[begin].begin, run[end - 1].end};
    if (parser.calculated()) {
      reading.calculation = std::move(found);
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
    read_run(run, reading);
  }
  if (reading.calculation) return reading.calculation;
  if (reading.unreadable) return std::nullopt;
  return reading.bare;
}

}  // namespace orchestrator
