#include "answers/math_spans.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/latex.hpp"
#include "answers/normalize.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr int kMaxChain = 64;  // formulas that can be one answer

struct Span {
  std::size_t begin, end;  // with delimiters
  std::string_view content;
};

struct Pair {
  std::string_view open, close;
};
constexpr std::array<Pair, 4> kPairs{{{"\\(", "\\)"}, {"\\[", "\\]"}, {"$$", "$$"}, {"$", "$"}}};

bool escaped(std::string_view text, std::size_t at) {
  std::size_t slashes = 0;
  while (slashes < at && text[at - 1 - slashes] == '\\') ++slashes;
  return slashes % 2 == 1;
}

// The last `what` that begins before `end` and is not escaped.
std::size_t rfind_delimiter(std::string_view text, std::string_view what, std::size_t end) {
  for (std::size_t at = end; (at = rfind_char(text, what[0], at)) != npos;) {
    if (at + what.size() <= end && text.substr(at).starts_with(what) && !escaped(text, at))
      return at;
  }
  return npos;
}

// Pandoc's rule for single dollar signs: no space inside of them and no digit after. What no price
// can hold may have spaces, and so may digits alone at their end ("$12 $").
bool dollars_hold_formula(std::string_view inside, std::string_view after) {
  if (is_digit(char_at(after, 0)) || inside.find('\n') != npos) return false;
  const bool before = is_space(inside.front()), behind = is_space(inside.back());
  if (before == behind || inside.find_first_of("\\=^_") != npos) return true;
  return behind && is_digit(trim(inside).back()) &&
         std::none_of(inside.begin(), inside.end(), is_alpha);
}

// Reads simplified text for words that are no part of a formula. What \text holds, the names of
// environments and of functions, "and" and "or" are parts; so are words of capitals (AB = 4) beside
// signs of a formula.
class FormulaScan {
 public:
  explicit FormulaScan(std::string simplified) : text_(std::move(simplified)) {}

  // `delimited`: dollar signs or brackets say that it is one; then a stray word does not matter.
  bool run(bool delimited) {
    const bool signs = delimited || text_.find_first_of("=_^\\<>") != std::string::npos;
    const int allowed = delimited ? 1 : 0;
    int words = 0;
    bool any = false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      any = any || (c != ' ' && c != kTextMark);
      if (c == kTextMark) {
        const std::size_t close = text_.find(kTextMark, at_ + 1);
        at_ = close == npos ? text_.size() : close + 1;
        any = true;
      } else if (c == '\\') {
        command();
      } else if (is_alpha(c)) {
        words += prose_word(signs);
        if (words > allowed) return false;
      } else if (is_multibyte(c)) {
        if (!mathematical()) return false;
      } else {
        ++at_;
      }
    }
    return any;
  }

 private:
  void command() {
    const std::string_view rest = std::string_view(text_).substr(at_);
    ++at_;
    if (at_ < text_.size() && !is_alpha(text_[at_])) {
      ++at_;
      return;
    }
    while (is_alpha(char_at(text_, at_))) ++at_;
    if (!rest.starts_with("\\begin{") && !rest.starts_with("\\end{")) return;
    skip_group();
    if (rest.starts_with("\\begin{array}")) skip_group();  // its columns
  }

  void skip_group() {
    if (char_at(text_, at_) != '{') return;
    const std::size_t close = text_.find('}', at_);
    at_ = close == npos ? text_.size() : close + 1;
  }

  bool prose_word(bool signs) {
    const std::size_t begin = at_;
    while (is_alpha(char_at(text_, at_))) ++at_;
    const std::string_view word = std::string_view(text_).substr(begin, at_ - begin);
    if (word.size() == 1 || word == "and" || word == "or" || looks_like_math(word)) return false;
    return !signs || std::any_of(word.begin(), word.end(), is_lower);
  }

  // Greek letters, letterlike symbols, arrows and operators, and the sign of degrees.
  bool mathematical() {
    const auto lead = static_cast<unsigned char>(text_[at_]);
    const auto second = static_cast<unsigned char>(char_at(text_, at_ + 1));
    const bool sign = lead == 0xe2 && second >= 0x84 && second <= 0x8b;
    if (lead != 0xce && lead != 0xcf && lead != 0xc2 && !sign) return false;
    at_ += sign ? 3 : 2;
    return true;
  }

  std::string text_;
  std::size_t at_ = 0;
};

std::optional<Span> formula_ending(std::string_view text, std::size_t end, const Pair& pair) {
  const std::size_t inner_end = end - pair.close.size();
  const std::size_t begin = rfind_delimiter(text, pair.open, inner_end);
  if (begin == npos) return std::nullopt;
  const std::size_t inner = begin + pair.open.size();
  const std::string_view inside = text.substr(inner, inner_end - inner);
  if (trim(inside).empty()) return std::nullopt;
  if (pair.open == "$" && !dollars_hold_formula(inside, text.substr(end))) return std::nullopt;
  if (!looks_like_math(inside) && !FormulaScan(simplify(inside)).run(true)) return std::nullopt;
  return Span{begin, end, trim(inside)};
}

// The last formula that ends at or before `end`.
std::optional<Span> formula_before(std::string_view text, std::size_t end) {
  std::optional<Span> last;
  for (const Pair& pair : kPairs) {
    const std::size_t close = rfind_delimiter(text, pair.close, end);
    if (close == npos || (last && close + pair.close.size() <= last->end)) continue;
    if (const auto span = formula_ending(text, close + pair.close.size(), pair)) last = span;
  }
  return last;
}

bool joins(std::string_view joint) {
  bool separated = false;
  while (!joint.empty()) {
    std::size_t length = 0;
    if (is_space(joint[0])) length = 1;
    if (joint[0] == ',' || joint[0] == ';') length = 1;
    for (const std::string_view word : {"and", "or"}) {
      if (starts_with_word(joint, word)) length = word.size();
    }
    if (length == 0) return false;
    separated = separated || !is_space(joint[0]);
    joint.remove_prefix(length);
  }
  return separated;
}

// Whether what ends before `end` can join a formula there to one before it: a comma, a semicolon,
// "and" or "or", which is seen sooner than that formula.
bool may_join(std::string_view text, std::size_t end) {
  const std::string_view before = trim_right(text.substr(0, end));
  const char last = before.empty() ? '\0' : to_lower(before.back());
  return last == ',' || last == ';' || last == 'd' || last == 'r';
}

}  // namespace

bool is_formula(std::string_view text) {
  return looks_like_math(text) || FormulaScan(simplify(text)).run(false);
}

std::optional<Formula> last_formula(std::string_view text) {
  const auto last = formula_before(text, text.size());
  if (!last) return std::nullopt;
  Formula formula{std::string(last->content), last->begin, last->end};
  for (int i = 1; i < kMaxChain && may_join(text, formula.begin); ++i) {
    const auto left = formula_before(text, formula.begin);
    if (!left || !joins(text.substr(left->end, formula.begin - left->end))) break;
    formula.content.insert(0, std::string(left->content) + ", ");
    formula.begin = left->begin;
  }
  return formula;
}

}  // namespace orchestrator
