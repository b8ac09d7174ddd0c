#include "choice.hpp"

#include <algorithm>
#include <array>

#include "latex.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr char kLastLetter = 'J';  // ten options, as in the widest benchmarks

constexpr bool is_option(char c) { return to_upper(c) >= 'A' && to_upper(c) <= kLastLetter; }

// The English words among the letters: an article and a pronoun.
constexpr bool is_word(char c) { return c == 'A' || c == 'I'; }

constexpr bool is_markup(char c) {
  return c == '*' || c == '_' || c == '`' || c == '"' || c == kTextMark || c == '$';
}

constexpr std::array<std::string_view, 8> kNouns{"option",  "choice", "answer",  "alternative",
                                                 "options", "letter", "choices", "answers"};

constexpr std::array<std::string_view, 10> kConnectives{"because", "since", "as",  "for",   "which",
                                                        "is",      "and",   "but", "given", "due"};

bool at_word(std::string_view text, std::size_t at) {
  return at == 0 || !(is_alnum(text[at - 1]) || is_multibyte(text[at - 1]) || text[at - 1] == '\\');
}

std::size_t skip_markup(std::string_view text, std::size_t at) {
  while (is_markup(char_at(text, at)) || is_space(char_at(text, at))) ++at;
  return at;
}

// Length of a noun such as "option" at `at`, or 0.
std::size_t noun_at(std::string_view text, std::size_t at) {
  for (const std::string_view noun : kNouns) {
    if (starts_with_word(text.substr(at), noun)) return noun.size();
  }
  return 0;
}

// The word before `at`, in lower case; words longer than any we look for come back empty.
std::string word_before(std::string_view text, std::size_t at) {
  while (at > 0 && (is_space(text[at - 1]) || is_markup(text[at - 1]))) --at;
  std::size_t begin = at;
  while (begin > 0 && at - begin < 12 && (is_alpha(text[begin - 1]) || text[begin - 1] == '\''))
    --begin;
  return lowered(text.substr(begin, at - begin));
}

bool negated(std::string_view text, std::size_t at) {
  const std::string word = word_before(text, at);
  return word == "not" || word.ends_with("n't") || word == "neither" || word == "nor" ||
         word == "than";
}

bool ends_sentence(std::string_view text, std::size_t at) {
  at = skip_markup(text, at);
  const char c = char_at(text, at);
  return c == '\0' || ((c == '.' || c == ',' || c == ';' || c == '!' || c == '?') &&
                       !is_alnum(char_at(text, at + 1)));
}

bool connective_follows(std::string_view text, std::size_t at) {
  at = skip_markup(text, at);
  return std::any_of(kConnectives.begin(), kConnectives.end(), [&](std::string_view word) {
    return starts_with_word(text.substr(at), word);
  });
}

// Whether the letter at `at` names an option where it stands in prose.
bool names_option(std::string_view text, std::size_t at) {
  const char c = text[at], next = char_at(text, at + 1);
  if (!is_option(c) || is_alnum(next) || is_multibyte(next) || next == '\'' || !at_word(text, at))
    return false;
  if (negated(text, at)) return false;
  const char left = at == 0 ? '\0' : text[at - 1];
  if ((left == '(' && next == ')') || (left == '[' && next == ']') || (left == '{' && next == '}'))
    return true;
  const std::string before = word_before(text, at);
  if (std::find(kNouns.begin(), kNouns.end(), before) != kNouns.end()) return true;
  if (is_lower(c)) return before == "is" && c != 'a' && c != 'i' && ends_sentence(text, at + 1);
  if (next == ')' || next == ':') return true;
  // An operand of a formula names nothing: A + B, C = 5, D/2.
  const char after = char_at(text, skip_markup(text, at + 1));
  if (after == '=' || after == '+' || after == '/' || after == '^' || after == '<' || after == '>')
    return false;
  if (left == '=' || left == '+' || left == '-' || left == '/' || left == '^') return false;
  if (left == '*' && next == '*') return true;
  if (!is_word(c)) return true;
  if (before.empty() && at > 0) return ends_sentence(text, at + 1);
  return c == 'A' && ends_sentence(text, at + 1);
}

FoundChoice found(std::string_view text, std::size_t at) {
  return {to_upper(text[at]), at, at + 1};
}

}  // namespace

std::optional<char> whole_choice(std::string_view text, bool lower) {
  std::size_t at = skip_markup(text, 0);
  const std::size_t noun = noun_at(text, at);
  if (noun > 0) at = skip_markup(text, at + noun);
  const char open = char_at(text, at);
  const bool bracketed = open == '(' || open == '[' || open == '{';
  if (bracketed) at = skip_markup(text, at + 1);
  const char letter = char_at(text, at);
  if (!is_option(letter)) return std::nullopt;
  at = skip_markup(text, at + 1);
  const char close = char_at(text, at);
  const bool closed = close == ')' || close == ']' || close == '}';
  if (bracketed && !closed) return std::nullopt;
  if (closed || close == '.' || close == ':' || close == ',') at = skip_markup(text, at + 1);
  if (char_at(text, at) == '.') at = skip_markup(text, at + 1);
  if (at != text.size()) return std::nullopt;
  const bool plain = noun == 0 && !closed;
  if (plain && is_lower(letter) && !lower) return std::nullopt;
  return to_upper(letter);
}

std::optional<FoundChoice> leading_choice(std::string_view text) {
  std::size_t at = skip_markup(text, 0);
  const std::size_t noun = noun_at(text, at);
  if (noun > 0) at = skip_markup(text, at + noun);
  const char open = char_at(text, at);
  const bool bracketed = open == '(' || open == '[';
  if (bracketed) at = skip_markup(text, at + 1);
  const char letter = char_at(text, at), next = char_at(text, at + 1);
  if (!is_option(letter) || is_alnum(next) || is_multibyte(next)) return std::nullopt;
  const std::size_t after = skip_markup(text, at + 1);
  const char mark = char_at(text, after);
  if (mark == ')' || mark == ']') return found(text, at);
  if (bracketed) return std::nullopt;
  const bool initial = mark == '.' && is_alpha(char_at(text, after + 1));  // A.M., e.g.
  if (mark == ':' || (mark == '.' && !initial) || mark == '\0' || next == '\n') {
    return is_upper(letter) || noun > 0 || mark == '.' || mark == ':'
               ? std::optional(found(text, at))
               : std::nullopt;
  }
  if (noun > 0) return found(text, at);
  if (is_lower(letter)) return std::nullopt;
  if (mark == ',' || mark == ';' || mark == '-')
    return is_alnum(char_at(text, after + 1)) ? std::nullopt : std::optional(found(text, at));
  if (!is_alnum(mark) && !is_multibyte(mark) && mark != '(') return std::nullopt;  // a formula
  if (connective_follows(text, at + 1))
    return letter == 'I' ? std::nullopt : std::optional(found(text, at));
  return is_word(letter) ? std::nullopt : std::optional(found(text, at));
}

std::optional<FoundChoice> last_choice(std::string_view text) {
  for (std::size_t at = text.size(); at-- > 0;) {
    if (is_option(text[at]) && names_option(text, at)) return found(text, at);
  }
  return std::nullopt;
}

std::optional<FoundChoice> first_choice(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_option(text[at]) && names_option(text, at)) return found(text, at);
  }
  return std::nullopt;
}

}  // namespace orchestrator
