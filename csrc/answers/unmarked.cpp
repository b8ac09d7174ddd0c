#include "answers/unmarked.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "answers/choice.hpp"
#include "answers/latex.hpp"
#include "answers/math_spans.hpp"
#include "answers/number_scan.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t kMaxLines = 16;  // lines searched for a number, last first
constexpr std::size_t kMaxLine =
    2048;                              // bytes of a line that are searched for numbers and formulas
constexpr std::size_t kMaxBare = 256;  // bytes of a text in which words are looked for in full
constexpr std::size_t kMaxBareWords = 3;  // words a whole text may have to be an answer by itself

// Non-empty lines from the last one up.
class LinesUp {
 public:
  explicit LinesUp(std::string_view text) : rest_(trim_right(text)) {}

  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t line_break = rfind_char(rest_, '\n', rest_.size());
    const std::string_view line = line_break == npos ? rest_ : rest_.substr(line_break + 1);
    rest_ = line_break == npos ? std::string_view{} : trim_right(rest_.substr(0, line_break));
    return trim(line);
  }

 private:
  std::string_view rest_;
};

std::string_view last_line(std::string_view text) {
  LinesUp lines(text);
  while (const auto line = lines.next()) {
    if (line->find_first_not_of("`*-=#_ ") != npos) return *line;  // not a fence or a rule
  }
  return {};
}

// The end of a line, from a space on when it is long.
std::string_view tail(std::string_view line) {
  if (line.size() <= kMaxLine) return line;
  const std::string_view part = line.substr(line.size() - kMaxLine);
  const std::size_t space = part.find(' ');
  if (space != npos) return part.substr(space + 1);
  std::size_t begin =
      line.size() - kMaxLine;  // one endless word: cut it anywhere but inside a number
  while (begin > 0 &&
         (is_digit(line[begin - 1]) || line[begin - 1] == ',' || line[begin - 1] == '.'))
    --begin;
  return line.substr(begin);
}

// The last number of a line when it stands near the end and well inside of what was looked at: what
// is far before it does not change what it says. Most texts need no more than this.
std::optional<Extracted> number_near_end(std::string_view line, const Reading& reading) {
  constexpr std::size_t kNear = 256, kContext = 96;
  if (line.size() <= 2 * kNear) return std::nullopt;
  const std::string_view part = line.substr(line.size() - kNear);
  const std::size_t space = part.find(' ');
  if (space >= kContext) return std::nullopt;
  const std::string simplified = simplify(part.substr(space));
  const NumberScan scan = scan_numbers(simplified, Which::last, reading);
  if (!scan.found || scan.found->begin < kContext) return std::nullopt;
  return of_number(simplified, *scan.found);
}

// The number the text ends with; none where a date or a formula stands there instead.
std::optional<Extracted> last_number(std::string_view text, const Reading& reading) {
  LinesUp lines(text);
  for (std::size_t i = 0; i < kMaxLines; ++i) {
    const auto line = lines.next();
    if (!line) break;
    const std::string_view part = tail(*line);
    if (std::none_of(part.begin(), part.end(),
                     [](char c) { return is_digit(c) || is_multibyte(c); }))
      continue;
    if (auto number = number_near_end(part, reading)) return number;
    const std::string simplified = simplify(part);
    const NumberScan scan = scan_numbers(simplified, Which::last, reading);
    if (scan.found) return of_number(simplified, *scan.found);
    if (scan.unreadable) break;
  }
  return std::nullopt;
}

std::size_t word_count(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    count += !is_space(text[i]) && (i == 0 || is_space(text[i - 1]));
  return count;
}

// Whether a text in a script without spaces is too long to be an answer by itself.
bool long_unspaced(std::string_view text) {
  constexpr std::size_t kMaxUnspaced = 8;  // characters
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    characters += byte >= 0xe3 && byte <= 0xed;  // first bytes of kana, Chinese and Hangul
  }
  return characters > kMaxUnspaced;
}

// Whether the whole of an unmarked text is an answer by itself.
bool bare(std::string_view text, const Reading& reading) {
  // A long text is an answer by itself only if it is one formula; the look at it ends at its first
  // word.
  if (text.size() > kMaxBare && (text.find('\n') != npos || !looks_like_math(text))) return false;
  if (number_key(text, reading)) return true;
  if (is_formula(unwrap(text))) return true;
  if (const auto formula = last_formula(text);
      formula && formula->begin == 0 && formula->end + 1 >= text.size())
    return true;
  const std::string simplified = simplify(unwrap(text));
  return reading.kind == Kind::automatic &&
         (whole_choice(simplified, false) ||
          (word_count(text) <= kMaxBareWords && !long_unspaced(text)));
}

// The last formula of a text's end, if no number follows it.
std::optional<std::string> closing_formula(std::string_view text) {
  const std::string_view end = tail(text);
  const auto formula = last_formula(end);
  if (!formula) return std::nullopt;
  const std::string_view after = end.substr(formula->end);
  if (after.find('\n') != npos && trim(after).find('\n') != npos) return std::nullopt;
  if (std::any_of(after.begin(), after.end(), is_digit)) return std::nullopt;
  return formula->content;
}

// Whether a text begins by listing its options, one a line: "A) Paris\nB) Rome".
bool lists_options(std::string_view text, char first) {
  const std::size_t line = text.find('\n');
  if (line == npos) return false;
  const auto next = leading_choice(trim_left(text.substr(line)).substr(0, 16));
  return next && next->letter != first;
}

std::optional<Extracted> unmarked_choice(std::string_view text) {
  const std::string_view line = last_line(text);
  if (whole_choice(line, true) || !whole_choices(line).empty())
    return read_statement(line, Reading(Kind::choice));
  const SettledChoice settled = settled_choice(text);
  const auto leading = leading_choice(text);
  const bool listing = leading && lists_options(text, leading->letter);
  if (leading && !listing && !settled.named) return of_choice(text, leading);
  if (settled.named) return of_choice(text, settled.named);
  if (auto closing = of_choice(line, leading_choice(line))) return closing;
  return of_choice(text, settled.mentioned);
}

std::optional<Extracted> unmarked_number(std::string_view text, const Reading& reading) {
  if (text.size() <= kMaxBare || looks_like_math(text)) {
    if (auto key = number_key(text, reading)) {
      // "x = 5" says 5, and that is what to show.
      const std::string_view said = trim(text.substr(text.rfind('=') + 1));
      return unless_empty(said.empty() ? text : said, *std::move(key));
    }
    if (looks_like_math(simplify(unwrap(text)))) return std::nullopt;
  }
  return last_number(text, reading);
}

// A letter alone on the last line, or one in brackets that the text begins with.
std::optional<Extracted> lone_choice(std::string_view text) {
  const std::string_view line = last_line(text);
  if (const auto letter = whole_choice(line, false); letter && *letter != 'I')
    return read_statement(line, Reading(Kind::choice));
  const bool bracketed =
      text.starts_with('(') || text.starts_with("**(") || char_at(text, 1) == ')';
  const auto leading = bracketed ? leading_choice(text) : std::nullopt;
  if (!leading || lists_options(text, leading->letter)) return std::nullopt;
  return of_choice(text, leading);
}

// A letter that the last line ends with or says to be the answer.
std::optional<Extracted> closing_choice(std::string_view line) {
  const SettledChoice settled = settled_choice(line);
  if (settled.named) return of_choice(line, settled.named);
  const auto letter = settled.mentioned;
  if (!letter || trim(line.substr(letter->end)).find_first_not_of(".)*]") != npos)
    return std::nullopt;
  return of_choice(line, letter);
}

std::optional<Extracted> unmarked_math(std::string_view text, const Reading& reading) {
  if (bare(text, reading)) return read_statement(text, reading);
  if (reading.kind == Kind::automatic) {
    if (auto choice = lone_choice(text)) return choice;
  }
  if (const auto formula = closing_formula(text)) return read_statement(*formula, reading);
  if (auto number = last_number(text, reading)) return number;
  const std::string_view line = last_line(text);
  if (reading.kind == Kind::automatic) {
    if (auto choice = closing_choice(line)) return choice;
  }
  return unless_empty(line, normalize(line, reading));
}

}  // namespace

std::optional<Extracted> read_unmarked(std::string_view text, const Reading& reading) {
  if (is_refusal(text)) return std::nullopt;
  switch (reading.kind) {
    case Kind::number:
      return unmarked_number(text, reading);
    case Kind::choice:
      return unmarked_choice(text);
    case Kind::automatic:
    case Kind::math:
      return unmarked_math(text, reading);
    case Kind::boolean:
    case Kind::date:
      if (auto whole = text.size() <= kMaxBare ? read_statement(text, reading) : std::nullopt)
        return whole;
      return read_scalar_in(text, reading);
    case Kind::text:
    case Kind::code:
      break;
  }
  const std::string_view line = last_line(text);
  return unless_empty(line, normalize(line, reading));
}

}  // namespace orchestrator
