#include "formulas/lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/latex.hpp"
#include "formulas/literal.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

using enum TokenKind;

constexpr std::uint8_t kMaxPrimes = 9;
constexpr std::size_t kLongestWords = 256;  // characters in one \text{...} that is a word

// Letters as constants, for symbols whose spelling is not in the text.
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

constexpr std::uint8_t of(Relation relation) { return static_cast<std::uint8_t>(relation); }

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token>& tokens) : text_(text), tokens_(tokens) {}

  bool run() {
    tokens_.reserve(std::min<std::size_t>(text_.size() + 1, 64));
    while (readable_ && at_ < text_.size()) step();
    emit({.kind = end});
    return readable_ && tokens_.size() <= kMaxTokens + 1;
  }

 private:
  char here(std::size_t ahead = 0) const { return char_at(text_, at_ + ahead); }
  std::string_view rest() const { return text_.substr(at_); }

  void fail() { readable_ = false; }

  void emit(Token token) {
    token.spaced = std::exchange(spaced_, false);
    if (negated_) negate(token);
    if (tokens_.size() > kMaxTokens) return fail();
    tokens_.push_back(token);
  }

  bool skip_spaces() {
    const std::size_t start = at_;
    while (is_space(here())) ++at_;
    spaced_ = spaced_ || at_ > start;
    return at_ > start;
  }

  // Whether something that has a value ends here, so that a sign belongs to it.
  bool after_operand() const {
    if (tokens_.empty()) return false;
    const TokenKind last = tokens_.back().kind;
    return last == numeral || last == symbol || last == constant || last == paren_close ||
           last == brace_close || last == bracket_close;
  }

  void step() {
    const char c = here();
    if (skip_spaces()) return;
    if (is_digit(c) || (c == '.' && is_digit(here(1)))) return number();
    if (is_alpha(c)) return letters();
    if (c == '\\') return backslash();
    if (is_multibyte(c)) return sign();
    if (c == '$') {
      spaced_ = true;
      ++at_;
      return;
    }
    if (c == '!') return exclamation();
    if (c == kTextMark) return marked_text();
    if (c == '^' && degrees()) return;
    mark();
  }

  void number() {
    const bool below = !tokens_.empty() && tokens_.back().is(low);  // \log_2 128
    std::size_t length = below ? 1 : numeral_length(rest());
    while (below && is_digit(here(length))) ++length;
    Token token{.kind = numeral, .text = text_.substr(at_, length)};
    at_ += length;
    if (here() == '.' && (here(1) == '.' || is_digit(here(1)))) return fail();
    read_script(token);
    emit(token);
  }

  void mark() {
    Mark said = pair_notation(here(), here(1));
    const std::size_t length = said.kind == end ? 1 : 2;
    if (said.kind == end) said = mark_notation(here());
    if (said.kind == end || (said.kind == comma && here(1) == ',')) return fail();
    const std::string_view whole = text_.substr(at_, length);
    at_ += length;
    if (said.kind == space) {
      spaced_ = true;
    } else {
      emit({.kind = said.kind, .detail = said.detail, .text = whole});
    }
  }

  // x != 3 is a relation, 5!=120 a factorial and an equation.
  void exclamation() {
    const bool after_digit = at_ > 0 && is_digit(text_[at_ - 1]);
    if (here(1) == '=' && !after_digit) {
      emit({.kind = relation, .detail = of(Relation::not_equal), .text = rest().substr(0, 2)});
      at_ += 2;
      return;
    }
    const bool twice = here(1) == '!';
    emit({.kind = twice ? double_factorial : factorial, .text = rest().substr(0, twice ? 2 : 1)});
    at_ += twice ? 2 : 1;
  }

  // ^\circ, ^{\circ}.
  bool degrees() {
    std::size_t to = at_ + 1;
    while (is_space(char_at(text_, to))) ++to;
    const bool braced = char_at(text_, to) == '{';
    if (braced) ++to;
    while (is_space(char_at(text_, to))) ++to;
    const std::string_view word = text_.substr(to);
    if (!word.starts_with("\\circ") || is_alpha(char_at(word, 5))) return false;
    to += 5;
    while (braced && is_space(char_at(text_, to))) ++to;
    if (braced && char_at(text_, to++) != '}') return false;
    const std::size_t start = std::exchange(at_, to);
    emit({.kind = degree, .text = text_.substr(start, to - start)});
    return true;
  }

  void letters() {
    std::size_t length = 1;
    while (is_alpha(here(length))) ++length;
    const std::string_view run = rest().substr(0, length);
    if (length == 1) return letter_run(run);
    if (const Notation* known = word_notation(run)) {
      at_ += length;
      return notation(*known, run);
    }
    // "(11,7)or(7,11)" has its bracket after the word; "1orW(x) = -1" a letter.
    for (const std::string_view word : {std::string_view("or"), std::string_view("and")}) {
      if (run.size() == word.size() + 1 && run.starts_with(word) && after_operand()) {
        at_ += word.size();
        return notation(*word_notation(word), word);
      }
    }
    if (is_differential(run)) {
      at_ += length;
      return emit({.kind = symbol, .text = run});
    }
    if (!is_product_of_letters(run)) return fail();
    letter_run(run);
  }

  // Each letter a variable; what is below the last one is its own.
  void letter_run(std::string_view run) {
    for (std::size_t i = 0; i < run.size(); ++i) {
      Token token{.kind = symbol, .text = run.substr(i, 1)};
      ++at_;
      if (i + 1 == run.size()) read_marks(token);
      emit(token);
    }
  }

  // The subscript and the primes of a name, in either order.
  void read_marks(Token& token) {
    read_primes(token);
    read_script(token);
    read_primes(token);
  }

  void read_primes(Token& token) {
    while (here() == '\'' || here() == '^' || here() == '\\') {
      std::size_t taken = 0;
      if (here() == '\'') taken = 1;
      for (const std::string_view prime : {"^\\prime", "^{\\prime}", "\\prime"}) {
        if (taken == 0 && rest().starts_with(prime)) taken = prime.size();
      }
      if (taken == 0) return;
      at_ += taken;
      if (++token.primes > kMaxPrimes) return fail();
    }
  }

  void read_script(Token& token) {
    std::size_t to = at_;
    while (is_space(char_at(text_, to))) ++to;
    if (char_at(text_, to) != '_') return;
    at_ = to + 1;
    while (is_space(here())) ++at_;
    token.script = argument();
    if (token.script.empty()) fail();
  }

  // What a command or a low line is followed by: a group without its braces, a run of digits, three
  // or more letters, a command with its group, or one letter. Empty when there is none.
  std::string_view argument() {
    if (here() == '{') return braced();
    const std::size_t start = at_;
    if (here() == '\\') ++at_;
    if (is_digit(here()) && at_ == start) {
      while (is_digit(here())) ++at_;
    } else if (is_alpha(here())) {
      std::size_t length = 1;
      while (is_alpha(here(length))) ++length;
      at_ += at_ > start || length >= 3 ? length : 1;
      if (text_[start] == '\\' && here() == '{' && braced().empty()) return {};
    } else {
      at_ = start;
    }
    return text_.substr(start, at_ - start);
  }

  // The inside of the group that begins here; empty when it is empty or does not end.
  std::string_view braced(std::size_t longest = std::string_view::npos) {
    const std::size_t start = at_ + 1;
    const std::size_t last = longest < text_.size() - at_ ? at_ + longest : text_.size();
    std::size_t depth = 0;
    for (std::size_t i = at_; i < last; ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '{') {
        ++depth;
      } else if (text_[i] == '}' && --depth == 0) {
        at_ = i + 1;
        return text_.substr(start, i - start);
      }
    }
    return {};
  }

  void backslash() {
    if (is_alpha(here(1))) return named_command();
    if (at_ + 1 == text_.size()) return void(++at_);  // a line's end that was cut off
    const std::string_view whole = rest().substr(0, 2);
    at_ += whole.size();
    switch (char_at(whole, 1)) {
      case '{':
        return emit({.kind = set_open, .text = whole});
      case '}':
        return emit({.kind = set_close, .text = whole});
      case '|':
        return emit({.kind = norm, .text = whole});
      case '%':
        return emit({.kind = percent, .text = whole});
      case '\\':
        return line_break(whole);
      case ',':
      case ';':
      case ':':
      case '!':
      case ' ':
      case '\n':
      case '$':  // a currency's sign
      case '(':  // math delimiters
      case ')':
      case '[':
      case ']':
        spaced_ = true;
        return;
      default:
        return fail();
    }
  }

  // \\ and the space it may ask for: \\[4pt].
  void line_break(std::string_view whole) {
    emit({.kind = row_break, .text = whole});
    const std::size_t close = rest().substr(0, 12).find(']');
    if (here() == '[' && is_digit(here(1)) && close != std::string_view::npos) {
      const std::string_view length = rest().substr(1, close - 1);
      const bool unit = length.ends_with("pt") || length.ends_with("em") ||
                        length.ends_with("ex") || length.ends_with("mm");
      if (unit) at_ += close + 1;
    }
  }

  void named_command() {
    std::size_t length = 1;
    while (is_alpha(here(length))) ++length;
    std::string_view name = rest().substr(1, length - 1);
    const Notation* known = command_notation(name);
    // "\quadx_2" lacks a space; nothing else begins so.
    if (known == nullptr && name.starts_with("quad")) known = command_notation(name = "quad");
    if (known == nullptr) return fail();
    at_ += 1 + name.size();
    if (known->kind == styled && here() == '*') ++at_;  // \operatorname*
    notation(*known, name);
  }

  void notation(const Notation& known, std::string_view name) {
    switch (known.kind) {
      case space:
        spaced_ = true;
        return;
      case sized:
        return size(known.detail);
      case styled:
        return style(known.detail, name);
      case accent:
        return accented(name);
      case negated:
        if (std::exchange(negated_, true)) fail();
        return;
      case set_name:
        return named_set(known.detail != 0, name);
      case matrix_begin:
      case matrix_end:
        return environment(known.kind);
      case symbol: {
        // \Delta x is one name: \frac{\Delta y}{\Delta x} is not y/x.
        std::size_t next = at_;
        while (is_space(char_at(text_, next))) ++next;
        if (name == "Delta" && is_alpha(char_at(text_, next))) return accented(name);
        Token token{.kind = symbol, .text = name, .accent = "\\"};
        read_marks(token);
        return emit(token);
      }

      default:
        return emit({.kind = known.kind, .detail = known.detail, .text = name});
    }
  }

  // After \left and its like only bars need to be told apart; a missing bracket is a period.
  void size(std::uint8_t side) {
    while (is_space(here())) ++at_;
    const TokenKind toward = side == kLeftSide ? bar_open : side == kRightSide ? bar_close : bar;
    if (here() == '.') {
      ++at_;
    } else if (here() == '|') {
      emit({.kind = toward, .text = rest().substr(0, 1)});
      ++at_;
    } else if (here() == '<' || here() == '>') {
      emit({.kind = here() == '<' ? angle_open : angle_close, .text = rest().substr(0, 1)});
      ++at_;
    } else if (rest().starts_with("\\vert") && side != kNoSide) {
      emit({.kind = toward, .text = rest().substr(0, 5)});
      at_ += 5;
    }
  }

  void accented(std::string_view name) {
    if (name.starts_with("wide")) name.remove_prefix(4);
    if (name == "overline") name = "bar";
    if (name == "overrightarrow") name = "vec";
    while (is_space(here())) ++at_;
    const bool letters = is_upper(here());
    std::size_t length = 0;
    while (is_upper(here(length))) ++length;
    const bool figure = name == "angle" || name == "triangle";
    std::string_view inside = figure && letters ? rest().substr(0, length) : std::string_view{};
    at_ += inside.size();
    if (inside.empty()) inside = argument();
    if (inside.empty()) return fail();
    Token token{.kind = symbol, .text = inside, .accent = name};
    read_marks(token);
    emit(token);
  }

  // The relation after \not.
  void negate(Token& token) {
    negated_ = false;
    if (token.is(relation) && token.detail == of(Relation::equal)) {
      token.detail = of(Relation::not_equal);
    } else if (token.is(relation) && token.detail == of(Relation::member)) {
      token.detail = of(Relation::not_member);
    } else {
      fail();
    }
  }

  // \mathbb{R}, \R, and with a sign: \mathbb{R}^+, \mathbb{Z}_{>0}.
  void named_set(bool with_argument, std::string_view name) {
    while (with_argument && is_space(here())) ++at_;
    const std::string_view letter = with_argument ? argument() : name;
    if (letter.size() != 1 || !is_upper(letter[0])) return fail();
    Token token{.kind = set_name,
                .text = kLetters.substr(static_cast<std::size_t>(letter[0] - 'A'), 1)};
    read_script(token);
    for (const std::string_view sign : {"^+", "^{+}", "^-", "^{-}", "^*", "^{*}", "^\\ast"}) {
      if (token.script.empty() && rest().starts_with(sign)) {
        token.script = sign;
        at_ += sign.size();
      }
    }
    emit(token);
  }

  void environment(TokenKind kind) {
    while (is_space(here())) ++at_;
    const std::string_view name = here() == '{' ? braced() : std::string_view{};
    static constexpr auto kKnown = std::to_array<std::string_view>(
        {"pmatrix", "bmatrix", "Bmatrix", "matrix", "smallmatrix", "vmatrix", "array"});
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) return fail();
    if (kind == matrix_begin && name == "array") {
      while (is_space(here())) ++at_;
      if (here() == '{' && braced().empty()) return fail();
    }
    emit({.kind = kind, .text = name});
  }

  // Groups may be nested thousands deep: only as much of each is looked at as words take.
  void style(std::uint8_t way, std::string_view name) {
    while (is_space(here())) ++at_;
    if (here() != '{') return;  // {\mathrm cm}, \boxed 5: nothing to take off
    const std::size_t start = at_;
    if (way != kBoxStyle) {
      const std::string_view inside = braced(kLongestWords);
      if (at_ > start && styled_text(inside, way, name)) return;
    }
    at_ = start + 1;
    emit({.kind = group_open, .text = text_.substr(start, 1)});
  }

  // What simplify makes of \text{...}: the contents between two marks.
  void marked_text() {
    if (at_ == mark_to_skip_) {
      ++at_;
      return;
    }
    const std::size_t close = text_.find(kTextMark, at_ + 1);
    if (close == std::string_view::npos) return fail();
    const std::size_t start = std::exchange(at_, close + 1);
    if (styled_text(text_.substr(start + 1, close - start - 1), kTextStyle, "text")) return;
    at_ = start + 1;
    mark_to_skip_ = close;
  }

  static std::string_view without_spaces(std::string_view inside) {
    for (;;) {
      const std::string_view shorter = trim(inside);
      if (shorter.starts_with("\\ ") || shorter.starts_with("\\,")) {
        inside = shorter.substr(2);
      } else if (shorter.starts_with('~')) {
        inside = shorter.substr(1);
      } else if (shorter.ends_with('~')) {
        inside = shorter.substr(0, shorter.size() - 1);
      } else {
        return shorter.ends_with('\\') ? shorter.substr(0, shorter.size() - 1) : shorter;
      }
    }
  }

  // What stands in \text{...}: a space, a letter, one of a formula's words, a word. False when it
  // is anything else, which is then read as if the command were not there.
  bool styled_text(std::string_view inside, std::uint8_t way, std::string_view name) {
    inside = without_spaces(inside);
    if (inside.empty()) {
      spaced_ = true;
      return true;
    }
    const bool words = is_alpha(inside[0]) && std::all_of(inside.begin(), inside.end(), [](char c) {
                         return is_alpha(c) || c == ' ' || c == '-';
                       });
    if (!words) return false;
    if (inside.size() == 1) {
      // A bold i or e is a vector, not a number.
      const bool vector = (inside == "i" || inside == "e") && way == kMathStyle &&
                          name != "mathrm" && name != "mathit";
      const bool bold = name == "mathbf" || name == "boldsymbol" || name == "bm" || name == "bold";
      Token token{.kind = symbol, .bold = bold, .text = inside, .accent = vector ? "mathbf" : ""};
      read_marks(token);
      emit(token);
      return true;
    }
    if (const Notation* known = word_notation(inside)) {
      notation(*known, inside);
      return true;
    }
    if (inside.size() == 2 && is_upper(inside[0]) && is_upper(inside[1])) {
      for (const std::size_t i : {0, 1}) emit({.kind = symbol, .text = inside.substr(i, 1)});
      return true;
    }
    emit({.kind = word, .text = inside});
    return true;
  }

  void sign() {
    const Sign* known = sign_notation(rest());
    if (known == nullptr) return fail();
    at_ += known->sign.size();
    notation(*command_notation(known->command), known->command);
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  std::size_t mark_to_skip_ = std::string_view::npos;  // closes a \text that holds no word
  bool spaced_ = false;
  bool negated_ = false;
  bool readable_ = true;
};

}  // namespace

bool tokenize(std::string_view text, std::vector<Token>& tokens) {
  return Lexer(text, tokens).run();
}

}  // namespace orchestrator
