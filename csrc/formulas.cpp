#include "formulas.hpp"

#include <algorithm>
#include <array>

#include "latex.hpp"
#include "normalize.hpp"
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
// can hold may have spaces.
bool dollars_hold_formula(std::string_view inside, std::string_view after) {
  if (is_digit(char_at(after, 0)) || inside.find('\n') != npos) return false;
  if (!is_space(inside.front()) && !is_space(inside.back())) return true;
  return inside.find_first_of("\\=^_") != npos ||
         (is_space(inside.front()) && is_space(inside.back()));
}

std::optional<Span> formula_ending(std::string_view text, std::size_t end, const Pair& pair) {
  const std::size_t inner_end = end - pair.close.size();
  const std::size_t begin = rfind_delimiter(text, pair.open, inner_end);
  if (begin == npos) return std::nullopt;
  const std::size_t inner = begin + pair.open.size();
  const std::string_view inside = text.substr(inner, inner_end - inner);
  if (trim(inside).empty() || !is_formula(inside)) return std::nullopt;
  if (pair.open == "$" && !dollars_hold_formula(inside, text.substr(end))) return std::nullopt;
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

}  // namespace

bool is_formula(std::string_view text) {
  if (looks_like_math(text)) return true;
  std::string plain = simplify(text);
  // What \text holds, and the names of environments, are no prose.
  std::string kept;
  bool in_text = false;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] == kTextMark) {
      in_text = !in_text;
    } else if (std::string_view(plain).substr(i).starts_with("\\begin{") ||
               std::string_view(plain).substr(i).starts_with("\\end{")) {
      const std::size_t close = plain.find('}', i);
      if (close == npos) return false;
      kept += '0';
      i = close;
    } else if (!in_text) {
      kept += plain[i];
    }
  }
  return looks_like_math(kept.empty() ? std::string_view("0") : std::string_view(kept));
}

std::optional<Formula> last_formula(std::string_view text) {
  const auto last = formula_before(text, text.size());
  if (!last) return std::nullopt;
  Formula formula{std::string(last->content), last->begin, last->end};
  for (int i = 1; i < kMaxChain; ++i) {
    const auto left = formula_before(text, formula.begin);
    if (!left || !joins(text.substr(left->end, formula.begin - left->end))) break;
    formula.content.insert(0, std::string(left->content) + ", ");
    formula.begin = left->begin;
  }
  return formula;
}

}  // namespace orchestrator
