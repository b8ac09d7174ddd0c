#include "answers/choice.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "answers/answer_phrases.hpp"
#include "answers/block_search.hpp"
#include "answers/latex.hpp"
#include "answers/words.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr char kLastPlain = 'J';  // ten options, as in the widest benchmarks

constexpr bool is_plain_option(char c) { return to_upper(c) >= 'A' && to_upper(c) <= kLastPlain; }

// A letter that can be an option where something marks it as one.
constexpr bool is_marked_option(char c) { return is_upper(c) || is_plain_option(c); }

// The English words among the letters: an article and a pronoun.
constexpr bool is_word(char c) { return c == 'A' || c == 'I'; }

constexpr bool is_markup(char c) {
  return c == '*' || c == '_' || c == '`' || c == '"' || c == kTextMark || c == '$';
}

constexpr std::array<std::string_view, 8> kNouns{"option",  "choice", "answer",  "alternative",
                                                 "options", "letter", "choices", "answers"};

constexpr std::array<std::string_view, 10> kConnectives{"because", "since", "as",  "for",   "which",
                                                        "is",      "and",   "but", "given", "due"};

// What stands before a letter that is said to be the answer.
constexpr std::array<std::string_view, 34> kNaming{
    "answer is",    "answer:",        "answers is",     "choice is",     "choice:",
    "option is",    "option:",        "letter is",      "correct is",    "answer as",
    "answer to be", "alternative is", "would be",       "should be",     "must be",
    "it's",         "it is",          "i choose",       "i chose",       "i'd choose",
    "i pick",       "i select",       "i'd pick",       "we choose",     "we select",
    "choose",       "select",         "go with",        "going with",    "correct answer",
    "right answer", "best answer",    "correct option", "correct choice"};

// What follows a letter that is said to be the answer, or said not to be.
constexpr std::array<std::string_view, 17> kConfirming{
    "is correct",    "is right",         "is the correct", "is the right",   "is the best",
    "is the answer", "is my answer",     "is our answer",  "is the most",    "is the only",
    "is true",       "is therefore the", "is indeed",      "is clearly the", "must be correct",
    "must be the",   "is the final"};
constexpr std::array<std::string_view, 26> kRejecting{"is incorrect",
                                                      "is wrong",
                                                      "is not",
                                                      "isn't",
                                                      "is false",
                                                      "are wrong",
                                                      "are incorrect",
                                                      "are not",
                                                      "aren't",
                                                      "are false",
                                                      "can't",
                                                      "cannot",
                                                      "can not",
                                                      "doesn't",
                                                      "does not",
                                                      "don't",
                                                      "do not",
                                                      "is ruled",
                                                      "are ruled",
                                                      "is eliminated",
                                                      "are eliminated",
                                                      "can be ruled",
                                                      "can be eliminated",
                                                      "seems wrong",
                                                      "was wrong",
                                                      "is out"};

std::size_t skip_markup(std::string_view text, std::size_t at) {
  while (is_markup(char_at(text, at)) || is_space(char_at(text, at))) ++at;
  return at;
}

std::size_t skip_markup_back(std::string_view text, std::size_t at) {
  while (at > 0 && (is_space(text[at - 1]) || is_markup(text[at - 1]))) --at;
  return at;
}

// Length of a noun such as "option" at `at`, or 0.
std::size_t noun_at(std::string_view text, std::size_t at) {
  for (const std::string_view noun : kNouns) {
    if (starts_with_word(text.substr(at), noun)) return noun.size();
  }
  return 0;
}

// The word before `at`, in lower case; words longer than any we look for come back cut.
std::string word_before(std::string_view text, std::size_t at) {
  at = skip_markup_back(text, at);
  std::size_t begin = at;
  while (begin > 0 && at - begin < 12 && (is_alpha(text[begin - 1]) || text[begin - 1] == '\''))
    --begin;
  return lowered(text.substr(begin, at - begin));
}

bool is_noun(std::string_view word) {
  return std::find(kNouns.begin(), kNouns.end(), word) != kNouns.end();
}

bool negating(std::string_view word) {
  return word == "not" || word.ends_with("n't") || word == "neither" || word == "nor" ||
         word == "than" || word == "cannot";
}

template <std::size_t N>
bool begins_with_any(std::string_view text, const std::array<std::string_view, N>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](std::string_view phrase) { return starts_with_word(text, phrase); });
}

bool ends_sentence(std::string_view text, std::size_t at) {
  at = skip_markup(text, at);
  const char c = char_at(text, at);
  return c == '\0' || is_multibyte(c) ||
         ((c == '.' || c == ',' || c == ';' || c == '!' || c == '?') &&
          !is_alnum(char_at(text, at + 1)));
}

// A letter as it stands in prose, with the bracket or emphasis around it.
struct Mention {
  std::size_t before, after;  // ends of what surrounds it
  std::string word;           // before it, in lower case
  bool marked;                // by a bracket, a noun, emphasis or a sign after it
};

constexpr bool brackets(char left, char right) {
  return (left == '(' && right == ')') || (left == '[' && right == ']') ||
         (left == '{' && right == '}');
}

Mention mention_at(std::string_view text, std::size_t at) {
  const char left = at == 0 ? '\0' : text[at - 1], right = char_at(text, at + 1);
  const bool bracketed = brackets(left, right);
  Mention mention{bracketed ? at - 1 : at, bracketed ? at + 2 : at + 1, {}, false};
  mention.word = word_before(text, mention.before);
  mention.marked = bracketed || is_noun(mention.word) || right == ')' || right == ':' ||
                   (left == '*' && right == '*');
  return mention;
}

// An operand of a formula names nothing: A + B, C = 5, D/2, P(A).
bool is_operand(std::string_view text, std::size_t at, const Mention& mention) {
  const char left = at == 0 ? '\0' : text[at - 1];
  if (left == '\\' || left == '=' || left == '+' || left == '-' || left == '/' || left == '^')
    return true;
  if (mention.before < at && joins_before(text, mention.before)) return true;
  if (mention.marked) return false;
  const char after = char_at(text, skip_markup(text, at + 1));
  return after == '=' || after == '+' || after == '/' || after == '^' || after == '<' ||
         after == '>';
}

// Past further letters of a list: "A, B and C are wrong".
std::size_t skip_letters(std::string_view text, std::size_t at) {
  for (int i = 0; i < 8; ++i) {
    std::size_t next = skip_markup(text, at);
    if (char_at(text, next) == ',') next = skip_markup(text, next + 1);
    for (const std::string_view word : {"and", "or", "nor"}) {
      if (starts_with_word(text.substr(std::min(next, text.size())), word))
        next = skip_markup(text, next + word.size());
    }
    if (char_at(text, next) == '(') ++next;
    if (!is_upper(char_at(text, next)) || joins_at(text, next + 1)) return at;
    at = next + 1;
    if (char_at(text, at) == ')') ++at;
  }
  return at;
}

// Where the letter of an option is that a list goes on with at `at`, or npos: ", B" where an "and"
// or "or" follows in the list, "and (B)", "or option B".
std::size_t next_in_list(std::string_view text, std::size_t at, int depth = 0) {
  constexpr int kMaxLetters = 8;
  if (depth > kMaxLetters) return npos;
  at = std::min(skip_markup(text, at), text.size());
  const bool comma = char_at(text, at) == ',';
  if (comma) at = skip_markup(text, at + 1);
  bool word = false;
  for (const std::string_view joint : {"and", "or"}) {
    if (!starts_with_word(text.substr(std::min(at, text.size())), joint)) continue;
    word = true;
    at = skip_markup(text, at + joint.size());
  }
  if (!comma && !word) return npos;
  if (const std::size_t noun = noun_at(text, std::min(at, text.size()))) {
    at = skip_markup(text, at + noun);
  }
  const bool bracketed = char_at(text, at) == '(' || char_at(text, at) == '[';
  if (bracketed) ++at;
  const char letter = char_at(text, at);
  if (!is_upper(letter) || joins_at(text, at + 1)) return npos;
  if (!bracketed && !is_plain_option(letter)) return npos;
  if (!bracketed && letter == 'I' && !ends_sentence(text, at + 1)) return npos;  // "B, and I think"
  if (word) return at;
  return next_in_list(text, at + (bracketed ? 2 : 1), depth + 1) == npos ? npos : at;
}

// Whether an "and" or "or" stands before `at`, and an option's letter before that.
bool follows_in_list(std::string_view text, std::size_t at) {
  std::string word = word_before(text, at);
  std::size_t end = skip_markup_back(text, at);
  if (is_noun(word)) {
    end = skip_markup_back(text, end - word.size());
    word = word_before(text, end);
  }
  if (word != "and" && word != "or") return false;
  end = skip_markup_back(text, end - word.size());
  if (end > 0 && text[end - 1] == ',') end = skip_markup_back(text, end - 1);
  const bool bracketed = end > 1 && (text[end - 1] == ')' || text[end - 1] == ']');
  if (bracketed) --end;
  if (end == 0 || !is_upper(text[end - 1]) || joins_before(text, end - 1)) return false;
  return bracketed || (is_plain_option(text[end - 1]) && text[end - 1] != 'I');
}

// Several options in one breath, "either A or B", name none of them.
bool in_list(std::string_view text, const Mention& mention) {
  return follows_in_list(text, mention.before) || next_in_list(text, mention.after) != npos;
}

// "nicht B", "不是B"
bool negated_elsewhere(std::string_view text, std::size_t before) {
  const std::size_t end = skip_markup_back(text, before);
  const std::string_view said = text.substr(0, end);
  if (said.ends_with("不是") || said.ends_with("不选") || said.ends_with("不選")) return true;
  return std::any_of(
      phrases::kNegations.begin(), phrases::kNegations.end(), [&](std::string_view negation) {
        return end >= negation.size() && whole_word_at(text, end - negation.size(), negation);
      });
}

bool rejected(std::string_view text, const Mention& mention) {
  if (negating(mention.word) || negated_elsewhere(text, mention.before)) return true;
  if (is_noun(mention.word)) {  // not option B
    const std::size_t noun = skip_markup_back(text, mention.before) - mention.word.size();
    if (negating(word_before(text, noun))) return true;
  }
  const std::size_t after = skip_markup(text, skip_letters(text, mention.after));
  return begins_with_any(text.substr(std::min(after, text.size())), kRejecting);
}

// Whether the words around it say that this letter is the answer.
bool said_to_be_it(std::string_view text, const Mention& mention) {
  constexpr std::size_t kLongest = 14;
  std::size_t end = skip_markup_back(text, mention.before);
  if (is_noun(mention.word)) {
    const std::size_t noun = skip_markup_back(text, end - mention.word.size());
    const std::string before =
        lowered(text.substr(noun - std::min(noun, kLongest), std::min(noun, kLongest)));
    if (before.ends_with("correct") || before.ends_with("right") || before.ends_with("best"))
      return true;
    end = noun;
  }
  const std::size_t begin = end - std::min(end, kLongest);
  const std::string before = lowered(text.substr(begin, end - begin));
  for (const std::string_view phrase : kNaming) {
    if (before.ends_with(phrase) &&
        (before.size() == phrase.size() || !is_alpha(before[before.size() - phrase.size() - 1])))
      return true;
  }
  const std::size_t after = skip_markup(text, mention.after);
  return begins_with_any(text.substr(std::min(after, text.size())), kConfirming);
}

// Whether the letter at `at` can be an option and not a word.
bool stands_for_option(std::string_view text, std::size_t at, const Mention& mention) {
  const char c = text[at], next = char_at(text, at + 1);
  if (!(mention.marked ? is_marked_option(c) : is_plain_option(c)) || next == '\'') return false;
  if (mention.before < at || is_noun(mention.word)) return true;
  if (is_lower(c))
    return mention.word == "is" && c != 'a' && c != 'i' && ends_sentence(text, at + 1);
  if (mention.marked || !is_word(c)) return true;
  if (is_multibyte(next) || (at > 0 && is_multibyte(text[at - 1]))) return true;
  if (mention.word.empty() && at > 0) return ends_sentence(text, at + 1);
  return c == 'A' && ends_sentence(text, at + 1);
}

// Whether the letter at `at` is mentioned as an option. Most lone letters are words, which is seen
// soonest.
bool is_mention(std::string_view text, std::size_t at, const Mention& mention) {
  return stands_for_option(text, at, mention) && !is_operand(text, at, mention) &&
         !rejected(text, mention) && !in_list(text, mention);
}

FoundChoice found(std::string_view text, std::size_t at) {
  return {to_upper(text[at]), at, at + 1};
}

// Letters that stand by themselves, the last first.
class LoneLetters {
 public:
  explicit LoneLetters(std::string_view text) : text_(text), search_(text, alone) {}

  // The next one, or npos.
  std::size_t next() {
    std::size_t at = search_.next();
    while (at != npos && (joins_before(text_, at) || joins_at(text_, at + 1))) at = search_.next();
    return at;
  }

 private:
  static constexpr std::uint8_t letter(std::uint8_t c) {
    return static_cast<std::uint8_t>((c | 0x20) - 'a') < 26;
  }
  static constexpr std::uint8_t joining(std::uint8_t c) {
    return letter(c) | static_cast<std::uint8_t>(static_cast<std::uint8_t>(c - '0') < 10);
  }
  static constexpr auto alone = [](std::uint8_t before, std::uint8_t c, std::uint8_t after) {
    return static_cast<std::uint8_t>(letter(c) & (joining(before) ^ 1) & (joining(after) ^ 1));
  };

  std::string_view text_;
  BlockSearch<decltype(alone)> search_;
};

// Whether the line that begins with the letter at `at` goes on with one name and ends: "A Peter".
bool name_follows(std::string_view text, std::size_t at) {
  std::size_t word = at + 1;
  if (char_at(text, word) != ' ' || !is_upper(char_at(text, word + 1))) return false;
  ++word;
  while (joins_at(text, word)) ++word;
  while (char_at(text, word) == '.' || char_at(text, word) == '*') ++word;
  return word >= text.size() || text[word] == '\n';
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
  if (!(lower ? is_marked_option(letter) : is_plain_option(letter))) return std::nullopt;
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

std::string whole_choices(std::string_view text) {
  std::string letters;
  for (std::size_t at = skip_markup(text, 0); at < text.size();) {
    if (noun_at(text, at) > 0) at = skip_markup(text, at + noun_at(text, at));
    const bool bracketed = char_at(text, at) == '(' || char_at(text, at) == '[';
    if (bracketed) ++at;
    if (!is_upper(char_at(text, at)) || joins_at(text, at + 1)) return {};
    letters += text[at];
    const char close = char_at(text, ++at);
    if (close == ')' || close == ']' || close == '.') ++at;
    at = skip_markup(text, at);
    if (at >= text.size()) break;
    bool joined = false;
    if (text[at] == ',' || text[at] == ';' || text[at] == '&' || text[at] == '/') {
      joined = true;
      at = skip_markup(text, at + 1);
    }
    if (starts_with_word(text.substr(std::min(at, text.size())), "and")) {
      joined = true;
      at = skip_markup(text, at + std::string_view("and").size());
    }
    if (!joined) return {};
  }
  std::sort(letters.begin(), letters.end());
  letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
  return letters.size() > 1 ? letters : std::string();
}

namespace {

std::optional<FoundChoice> leading_letter(std::string_view text) {
  std::size_t at = skip_markup(text, 0);
  const std::size_t noun = noun_at(text, at);
  if (noun > 0) at = skip_markup(text, at + noun);
  const char open = char_at(text, at);
  const bool bracketed = open == '(' || open == '[';
  if (bracketed) at = skip_markup(text, at + 1);
  const char letter = char_at(text, at), next = char_at(text, at + 1);
  if (!is_marked_option(letter) || joins_at(text, at + 1)) return std::nullopt;
  const std::size_t after = skip_markup(text, at + 1);
  const char mark = char_at(text, after);
  const bool closed = mark == ')' || mark == ']';
  if (next_in_list(text, closed ? after + 1 : at + 1) != npos) return std::nullopt;
  if (closed) return found(text, at);
  if (bracketed) return std::nullopt;
  const bool initial = mark == '.' && is_alpha(char_at(text, after + 1));  // A.M., e.g.
  if (mark == ':' || (mark == '.' && !initial) || mark == '\0' || next == '\n') {
    return is_upper(letter) || noun > 0 || mark == '.' || mark == ':'
               ? std::optional(found(text, at))
               : std::nullopt;
  }
  if (noun > 0) return found(text, at);
  if (is_lower(letter) || !is_plain_option(letter)) return std::nullopt;
  if (mark == ',' || mark == ';' || mark == '-')
    return is_alnum(char_at(text, after + 1)) ? std::nullopt : std::optional(found(text, at));
  if (!is_alnum(mark) && !is_multibyte(mark) && mark != '(') return std::nullopt;  // a formula
  if (is_multibyte(next)) return found(text, at);
  if (begins_with_any(text.substr(after), kConnectives))
    return letter == 'I' ? std::nullopt : std::optional(found(text, at));
  if (letter == 'A' && name_follows(text, at)) return found(text, at);
  return is_word(letter) ? std::nullopt : std::optional(found(text, at));
}

}  // namespace

std::optional<FoundChoice> leading_choice(std::string_view text) {
  const std::optional<FoundChoice> choice = leading_letter(text);
  if (!choice) return choice;
  // "(A) is wrong, so (B)"; an option's own text begins with a capital: "D. Do not enter".
  const std::size_t after = std::min(text.find_first_not_of(" .)]*", choice->end), text.size());
  const std::string_view rest = text.substr(after);
  const bool verdict = rest.starts_with("is") || rest.starts_with("are") || rest.starts_with("can");
  return verdict && begins_with_any(rest, kRejecting) ? std::nullopt : choice;
}

SettledChoice settled_choice(std::string_view text) {
  SettledChoice settled;
  LoneLetters letters(text);
  for (std::size_t at; (at = letters.next()) != npos;) {
    const Mention mention = mention_at(text, at);
    if (!is_mention(text, at, mention)) continue;
    if (!settled.mentioned) settled.mentioned = found(text, at);
    if (said_to_be_it(text, mention)) {
      settled.named = found(text, at);
      break;
    }
  }
  return settled;
}

std::optional<FoundChoice> first_choice(std::string_view text) {
  std::optional<FoundChoice> first;
  LoneLetters letters(text);
  for (std::size_t at; (at = letters.next()) != npos;) {
    if (is_mention(text, at, mention_at(text, at))) first = found(text, at);
  }
  return first;
}

}  // namespace orchestrator
