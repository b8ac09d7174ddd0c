#include "answers/prose.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "answers/date.hpp"
#include "answers/latex.hpp"
#include "answers/words.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxDateWords = 8;   // of "on Saturday, 1st of May 2021 at 10:30 AM"
constexpr std::size_t kMaxSearched = 128;  // words searched for a date, from the end

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

std::optional<std::string_view> boolean_in(std::string_view text) {
  const std::size_t start = std::min(text.find_first_not_of(" \t\n*\"'(`"), text.size());
  if (const std::size_t length = boolean_at(text, start)) return text.substr(start, length);
  const std::size_t sentence = last_sentence(text);
  for (std::size_t at = text.size(); at-- > sentence;) {
    const std::size_t length = boolean_at(text, at);
    if (length == 0) continue;
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
      if (digits && parse_date(simplify(part), DateForms::any)) return part;
    }
  }
  return std::nullopt;
}

}  // namespace orchestrator
