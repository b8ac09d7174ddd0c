#include "answers/prose.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "answers/boolean.hpp"
#include "answers/date.hpp"
#include "answers/latex.hpp"
#include "answers/words.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxDateWords = 8;   // of "on Saturday, 1st of May 2021 at 10:30 AM"
constexpr std::size_t kMaxSearched = 128;  // words searched for a date, from the end

// What a clause begins with that says whether something is true.
constexpr std::array<std::string_view, 5> kStatements{"it", "that", "this", "the", "its"};

constexpr bool ends_clause(char c) {
  return c == '\0' || c == '.' || c == ',' || c == ';' || c == ':' || c == '!' || c == '?' ||
         c == '\n' || c == '"' || c == '*' || c == ')' || c == '-';
}

// Where the last sentence begins.
std::size_t last_sentence(std::string_view text) {
  for (std::size_t at = text.size() > 1 ? text.size() - 1 : 0; at-- > 0;) {
    const char c = text[at];
    if (c == '\n' || ((c == '.' || c == '!' || c == '?') && is_space(text[at + 1]))) return at + 1;
  }
  return 0;
}

// Length of a word at `at` that says yes or no by itself there, or 0.
std::size_t boolean_at(std::string_view text, std::size_t at) {
  for (const std::string_view word : {"yes", "no", "true", "false"}) {
    if (whole_word_at(text, at, word) && ends_clause(char_at(text, at + word.size())))
      return word.size();
  }
  return 0;
}

// Where the "not" begins that stands before `at`, or `at`.
std::size_t before_not(std::string_view text, std::size_t at) {
  constexpr std::string_view kNot = "not";
  std::size_t end = at;
  while (end > 0 && is_space(text[end - 1])) --end;
  return end >= kNot.size() && whole_word_at(text, end - kNot.size(), kNot) ? end - kNot.size()
                                                                            : at;
}

// What the clause after a yes or no says of a statement: true for "it is false" after "Yes,".
bool contradicts(std::string_view said, std::string_view rest) {
  constexpr std::size_t kLongest = 64;
  const std::size_t begin = rest.find_first_not_of(" ,;:.!*-\n");
  if (begin == std::string_view::npos) return false;
  rest = rest.substr(begin, kLongest);
  const std::size_t end = std::min(rest.find_first_of(".,;!?\n"), rest.size());
  const std::string clause = lowered(trim_right(rest.substr(0, end)));
  const bool of_statement =
      std::any_of(kStatements.begin(), kStatements.end(),
                  [&](std::string_view word) { return starts_with_word(clause, word); });
  const bool positive = starts_with_folded(said, "yes") || starts_with_folded(said, "true");
  const std::size_t space = clause.find_last_of(' ');
  if (!of_statement || space == std::string::npos) return false;
  const auto truth = whole_boolean(std::string_view(clause).substr(space + 1));
  if (!truth) return false;
  const bool negated = before_not(clause, space) != space || clause.ends_with("n't");
  return (*truth != negated) != positive;
}

// "yes or no": the word at `at` after another and a joint.
bool joined_before(std::string_view text, std::size_t at) {
  std::size_t end = at;
  const auto back_over = [&](std::string_view word) {
    std::size_t to = end;
    while (to > 0 && is_space(text[to - 1])) --to;
    const bool there = to >= word.size() && whole_word_at(text, to - word.size(), word);
    if (there) end = to - word.size();
    return there;
  };
  if (!back_over("or") && !back_over("and")) return false;
  return back_over("yes") || back_over("no") || back_over("true") || back_over("false");
}

// Words of a text, with where they begin and end.
struct Word {
  std::size_t begin, end;
};

std::vector<Word> last_words(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t end = text.size(); words.size() < kMaxSearched;) {
    while (end > 0 && is_space(text[end - 1])) --end;
    if (end == 0) break;
    std::size_t begin = end;
    while (begin > 0 && !is_space(text[begin - 1])) --begin;
    words.push_back({begin, end});
    end = begin;
  }
  return words;
}

}  // namespace

namespace {

// Whether the word that `before` begins with is the day or the month of the month or year `part`.
bool names_day(std::string_view before, std::string_view part) {
  const std::string word = lowered(before.substr(0, std::min<std::size_t>(before.find(' '), 16)));
  std::size_t digits = 0;
  while (is_digit(char_at(word, digits))) ++digits;
  const std::string_view rest = std::string_view(word).substr(digits);
  const bool day =
      digits >= 1 && digits <= 2 &&
      (rest.empty() || rest == "," || rest == "st" || rest == "nd" || rest == "rd" ||
       rest == "th" || rest == "st," || rest == "nd," || rest == "rd," || rest == "th,");
  const bool full = std::count_if(part.begin(), part.end(), is_digit) > 4;  // has its own day
  return day && !full;
}

}  // namespace

std::optional<std::string_view> boolean_in(std::string_view text) {
  const std::size_t start = std::min(text.find_first_not_of(" \t\n*\"'(`"), text.size());
  if (const std::size_t length = boolean_at(text, start)) {
    const std::string_view said = text.substr(start, length);
    if (contradicts(said, text.substr(start + length))) return std::nullopt;
    return said;
  }
  const std::size_t sentence = last_sentence(text);
  for (std::size_t at = text.size(); at-- > sentence;) {
    const std::size_t length = boolean_at(text, at);
    if (length == 0) continue;
    if (joined_before(text, at)) return std::nullopt;
    const std::size_t begin = before_not(text, at);
    return text.substr(begin, at + length - begin);
  }
  return std::nullopt;
}

std::optional<std::string_view> date_in(std::string_view text) {
  const std::vector<Word> words = last_words(text);
  for (std::size_t last = 0; last < words.size(); ++last) {
    const std::size_t limit = std::min(words.size(), last + kMaxDateWords);
    for (std::size_t first = limit; first-- > last;) {
      const std::string_view part =
          unwrap(text.substr(words[first].begin, words[last].end - words[first].begin));
      const bool digits = std::any_of(part.begin(), part.end(), is_digit);
      if (!digits || !parse_date(simplify(part), DateForms::any)) continue;
      // "Feb 30, 2021" is no day, and not the year 2021.
      const bool day_before =
          first + 1 < words.size() && names_day(text.substr(words[first + 1].begin), part);
      return day_before ? std::nullopt : std::optional(part);
    }
  }
  return std::nullopt;
}

}  // namespace orchestrator
