#include "answers/number_scan.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/latex.hpp"
#include "answers/numeral.hpp"
#include "answers/units.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxUnit = 48;  // bytes after a number in which its unit is looked for

// Reads the number candidates of one line of simplified prose from left to right.
class Scanner {
 public:
  Scanner(std::string_view text, const Reading& reading) : text_(text), reading_(reading) {}

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
    NumeralReader reader(text_, start, {true, true, reading_.percent});
    auto value = reader.product();
    const std::size_t product_end = reader.at();
    if (value) value = reader.scaled(*value);
    const bool low = value && opens_range(sign.begin, reader.at());
    const bool high = std::exchange(in_range_, low);
    if (!value || sign.binary || low || high || is_bound(sign.begin) ||
        bad_neighbours(start, product_end, reader.at())) {
      at_ = std::max(product_end, start + 1);
      skip_run();
      return {std::nullopt, true};
    }
    if (sign.negative) value = negated(*std::move(value));
    const std::size_t end = reader.at();
    skip_unit(end);
    std::string written = spelled(*value);
    if (reading_.units == UnitRule::keep) {
      const std::string unit = kept_unit(start, end, reader.currency());
      if (!unit.empty()) written.append(" ").append(unit);
    }
    return {FoundNumber{std::move(written), sign.begin, end}, false};
  }

  // The word that ends before `at`, in lower case and without the space after it; empty for none.
  std::string word_before(std::size_t& at) const {
    constexpr std::size_t kLongest = 12;
    while (previous(at) == ' ' || previous(at) == '*' || previous(at) == '$') --at;
    const std::size_t end = at;
    while (is_alpha(previous(at)) && end - at < kLongest) --at;
    return lowered(text_.substr(at, end - at));
  }

  // "less than 5" excludes 5. "no less than 5" has it as its least value, as "at least 5" has.
  bool is_bound(std::size_t begin) const {
    std::size_t at = begin;
    if (word_before(at) != "than") return false;
    word_before(at);
    const std::string before = word_before(at);
    return before != "no" && before != "not";
  }

  // "between 5 and 7", "5 to 7": from a lower number to a higher one. "from 5 to 7" and "rounds 4.6
  // to 5" may tell of a change.
  bool opens_range(std::size_t begin, std::size_t end) const {
    std::size_t at = begin;
    const std::string before = word_before(at);
    std::size_t next = end;
    while (char_at(text_, next) == ' ' || char_at(text_, next) == '*') ++next;
    const std::string_view joint = before == "between" ? "and" : "to";
    if (!starts_with_word(text_.substr(std::min(next, text_.size())), joint)) return false;
    next += joint.size();
    while (char_at(text_, next) == ' ' || char_at(text_, next) == '*' ||
           char_at(text_, next) == '$')
      ++next;
    if (!is_digit(char_at(text_, next))) return false;
    return before == "between" || !(before.starts_with("round") || before == "from");
  }

  // The currency around the number or the longest run of known units after it.
  std::string kept_unit(std::size_t begin, std::size_t end, std::string_view currency) const {
    if (currency.empty() && previous(begin) == '$') currency = "$";
    if (!currency.empty()) return std::string(currency);
    const std::string_view rest = text_.substr(end);
    std::string_view line = rest.substr(0, kMaxUnit);
    if (line.size() < rest.size()) line = line.substr(0, line.find_last_of(' '));
    line = line.substr(0, line.find_first_of(",;:()"));
    for (bool cut = line.size() < rest.size(); !line.empty(); cut = true) {
      line = trim_right(line);
      if (line.ends_with('.')) line.remove_suffix(1);
      const std::size_t space = std::min(line.find_last_of(" \x01"), line.size());
      const bool preposition = cut && line.substr(space) == " in";  // "12 in all"
      if (!preposition && only_known_units(line, UnitScope::symbols))
        return parse_unit(line, UnitScope::symbols).value_or("");
      line = line.substr(0, space == line.size() ? 0 : space);
    }
    return {};
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
  Reading reading_;
  std::size_t at_ = 0;
  bool in_range_ = false;  // the last number was the low end of a range
};

}  // namespace

NumberScan scan_numbers(std::string_view text, Which which, const Reading& reading) {
  return Scanner(text, reading).run(which);
}

}  // namespace orchestrator
