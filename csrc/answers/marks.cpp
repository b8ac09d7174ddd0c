#include "answers/marks.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <utility>

#include "answers/answer_phrases.hpp"
#include "answers/block_search.hpp"
#include "answers/spans.hpp"
#include "answers/words.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t kMaxMarks = 16;  // of a sort, the last ones

struct Phrase {
  std::size_t at;  // where its content begins
  bool strong;
};

// ---- what follows the word for "answer"

// Moves past spaces, emphasis and headings on one line.
std::size_t skip_decoration(std::string_view text, std::size_t at) {
  while (char_at(text, at) == ' ' || char_at(text, at) == '\t' || char_at(text, at) == '*' ||
         char_at(text, at) == '_' || char_at(text, at) == '`') {
    ++at;
  }
  return at;
}

bool heading_before(std::string_view text, std::size_t at) {
  constexpr std::size_t kMaxHeading = 16;
  for (std::size_t i = 0; i <= kMaxHeading; ++i) {
    if (i == at || text[at - 1 - i] == '\n') return true;
    if (std::string_view(" \t#*_").find(text[at - 1 - i]) == npos) return false;
  }
  return false;
}

bool line_break_at(std::string_view text, std::size_t at) {
  return char_at(text, at) == '\n' || char_at(text, at) == '\r';
}

// Past a colon or an equals sign at `at`, or npos.
std::size_t after_colon(std::string_view text, std::size_t at) {
  if (char_at(text, at) == ':' || char_at(text, at) == '=') return at + 1;
  return text.substr(std::min(at, text.size())).starts_with("：") ? at + 3 : npos;
}

// Past a remark in brackets that a colon follows, "Answer (in dollars): 5", or npos.
std::size_t after_remark(std::string_view text, std::size_t at) {
  constexpr std::size_t kMaxRemark = 48;
  if (char_at(text, at) != '(') return npos;
  const std::size_t close = text.substr(0, std::min(text.size(), at + kMaxRemark)).find(')', at);
  return close == npos ? npos : after_colon(text, skip_decoration(text, close + 1));
}

// A displayed or inline formula, which may stand after the word with no link at all.
bool formula_at(std::string_view text, std::size_t at) {
  const char c = char_at(text, at), next = char_at(text, at + 1);
  return c == '$' || (c == '\\' && (next == '(' || next == '['));
}

constexpr std::array<std::string_view, 7> kVerbs{"is",      "are",     "would be", "should be",
                                                 "must be", "will be", "equals"};

constexpr std::array<std::string_view, 18> kFillers{
    "thus",       "therefore", "then",       "clearly", "simply",     "just",
    "definitely", "for sure",  "indeed",     "likely",  "probably",   "most likely",
    "given by",   "equal to",  "therefore,", "thus,",   "as follows", "also"};

constexpr std::array<std::string_view, 10> kObjects{"to the question",
                                                    "to this question",
                                                    "to the problem",
                                                    "to this problem",
                                                    "to your question",
                                                    "choice",
                                                    "option",
                                                    "here",
                                                    "to the first question",
                                                    "letter"};

// Where the content of the mark begins whose word "answer" ends at `at`; npos when it is no mark.
std::size_t content_after(std::string_view text, std::size_t at, bool heading) {
  at = skip_decoration(text, at);
  if (const std::size_t remark = after_remark(text, at); remark != npos) return remark;
  if (heading && (line_break_at(text, at) || formula_at(text, at))) return at;
  for (const std::string_view object : kObjects) {
    if (!starts_with_word(text.substr(std::min(at, text.size())), object)) continue;
    at = skip_decoration(text, at + object.size());
    break;
  }
  if (const std::size_t colon = after_colon(text, at); colon != npos) return colon;
  for (const std::string_view verb : kVerbs) {
    if (!starts_with_word(text.substr(std::min(at, text.size())), verb)) continue;
    at = skip_decoration(text, at + verb.size());
    if (starts_with_word(text.substr(at), "not")) return npos;
    for (int i = 0; i < 3; ++i) {
      for (const std::string_view filler : kFillers) {
        if (!starts_with_word(text.substr(at), filler)) continue;
        at = skip_decoration(text, at + filler.size());
      }
    }
    const std::size_t colon = char_at(text, at) == ':' ? at + 1 : at;
    return colon;
  }
  return npos;
}

// ---- other languages

// What can hardly be anything but the answer: a number, a formula, a letter alone.
bool plain_answer_at(std::string_view text, std::size_t at) {
  const char c = char_at(text, at), next = char_at(text, at + 1);
  if (is_digit(c) || formula_at(text, at) || (c == '\\' && is_alpha(next))) return true;
  if ((c == '-' || c == '(' || c == '[') && is_digit(next)) return true;
  const std::size_t letter = c == '(' || c == '[' ? at + 1 : at;
  return is_upper(char_at(text, letter)) && !joins_at(text, letter + 1) &&
         char_at(text, letter + 1) != '.';
}

const phrases::Link* link_at(std::string_view text, std::size_t at) {
  for (const phrases::Link& link : phrases::kLinks) {
    if (!starts_with_folded(text.substr(at), link.word)) continue;
    if (!link.whole || !joins_at(text, at + link.word.size())) return &link;
  }
  return nullptr;
}

// The same as content_after for a word of another language that ends at `at`.
std::size_t content_after_links(std::string_view text, std::size_t at, bool heading) {
  constexpr int kMaxLinks = 6;
  bool verb = false;
  at = std::min(skip_decoration(text, at), text.size());
  if (const std::size_t remark = after_remark(text, at); remark != npos) return remark;
  for (int i = 0; i < kMaxLinks; ++i) {
    if (const std::size_t colon = after_colon(text, at); colon != npos) return colon;
    const phrases::Link* link = link_at(text, at);
    if (link == nullptr) break;
    verb = verb || link->verb;
    at = std::min(skip_decoration(text, at + link->word.size()), text.size());
  }
  for (const std::string_view negation : phrases::kNegations) {
    if (whole_word_at(text, at, negation)) return npos;
  }
  if (verb || (heading && line_break_at(text, at)) || plain_answer_at(text, at)) return at;
  return npos;
}

// ---- finding the words

// "answer" is searched by two neighbouring letters of it that are rare together, in any case.
constexpr auto kAnswerPair = [](std::uint8_t before, std::uint8_t byte, std::uint8_t) {
  return static_cast<std::uint8_t>((static_cast<std::uint8_t>(before | 0x20) == 's') &
                                   (static_cast<std::uint8_t>(byte | 0x20) == 'w'));
};

void find_answer(std::string_view text, std::vector<Phrase>& found) {
  BlockSearch search(text, kAnswerPair);
  std::size_t marks = 0;
  for (std::size_t at; marks < kMaxMarks && (at = search.next()) != npos;) {
    if (at < 3 || !starts_with_folded(text.substr(at - 3), "answer")) continue;
    const std::size_t end = at + 3 + (to_lower(char_at(text, at + 3)) == 's' ? 1 : 0);
    const std::size_t begin = at - 3;
    if (is_alpha(char_at(text, end))) continue;
    if (begin > 0 &&
        (is_alpha(text[begin - 1]) || text[begin - 1] == '<' || text[begin - 1] == '/'))
      continue;
    const bool final_word = begin >= 6 && starts_with_folded(text.substr(begin - 6), "final ");
    const std::size_t content =
        content_after(text, end, heading_before(text, final_word ? begin - 6 : begin));
    if (content == npos) continue;
    found.push_back({content, final_word});
    ++marks;
  }
}

// The pairs of neighbouring bytes by which the words of kLatin are searched, in any case.
constexpr auto kLatinPair = [](std::uint8_t before, std::uint8_t byte, std::uint8_t) {
  const auto c = static_cast<std::uint8_t>(byte | 0x20),
             b = static_cast<std::uint8_t>(before | 0x20);
  const int pair =
      ((c == 'p') & ((b == 's') | (b == 'e') | (b == 'd') | (b == 0xa9) | (b == 0xa1))) |
      ((c == 'a') & ((b == 'j') | (b == 'v'))) | ((c == 'g') & (b == 'd')) |
      ((c == 'w') & (b == 't')) | ((c == 'v') & (b == 's')) | ((byte == 0xc3) & (b == 'v')) |
      ((byte == 0xe1) & (b == 'r'));
  return static_cast<std::uint8_t>(pair);
};

void find_latin(std::string_view text, std::vector<Phrase>& found) {
  BlockSearch search(text, kLatinPair);
  std::size_t marks = 0;
  for (std::size_t hit; marks < kMaxMarks && (hit = search.next()) != npos;) {
    for (const phrases::AnswerWord& answer : phrases::kLatin) {
      if (hit < answer.at || to_lower(text[hit]) != answer.word[answer.at]) continue;
      const std::size_t at = hit - answer.at;
      if (!starts_with_folded(text.substr(at), answer.word) || joins_before(text, at)) continue;
      std::size_t end = at + answer.word.size();
      while (is_lower(char_at(text, end)) && end < at + answer.word.size() + 3) ++end;  // -en, -ul
      const std::size_t content = content_after_links(text, end, heading_before(text, at));
      if (content == npos) continue;
      found.push_back({content, false});
      ++marks;
      break;
    }
  }
}

// The first two bytes of the words in other scripts: which of them can begin here at all.
const std::bitset<65536>& first_bytes() {
  static const std::bitset<65536> set = [] {
    std::bitset<65536> bits;
    for (const std::string_view word : phrases::kOther) {
      bits.set(static_cast<unsigned char>(word[0]) * 256u + static_cast<unsigned char>(word[1]));
    }
    return bits;
  }();
  return set;
}

void find_other(std::string_view text, std::vector<Phrase>& found) {
  const std::bitset<65536>& starts = first_bytes();
  std::size_t marks = 0;
  for (std::size_t at = text.size() > 1 ? text.size() - 1 : 0; marks < kMaxMarks && at-- > 0;) {
    const unsigned pair =
        static_cast<unsigned char>(text[at]) * 256u + static_cast<unsigned char>(text[at + 1]);
    if (!starts[pair]) continue;
    for (const std::string_view word : phrases::kOther) {
      if (!text.substr(at).starts_with(word)) continue;
      const std::size_t content =
          content_after_links(text, at + word.size(), heading_before(text, at));
      if (content == npos) continue;
      found.push_back({content, false});
      ++marks;
      break;
    }
  }
}

bool beyond_ascii(std::string_view text) {
  unsigned char any = 0;
  for (const char c : text) any = static_cast<unsigned char>(any | static_cast<unsigned char>(c));
  return any >= 0x80;
}

void find_hashes(std::string_view text, std::vector<Phrase>& found) {
  std::size_t marks = 0;
  for (std::size_t at = text.size();
       marks < kMaxMarks && (at = rfind_char(text, '#', at)) != npos;) {
    std::size_t begin = at;
    while (begin > 0 && text[begin - 1] == '#') --begin;
    const bool line_start = begin == 0 || text[begin - 1] == '\n' || text[begin - 1] == ' ';
    const std::size_t length = at - begin + 1;
    at = begin;
    if (length != 4 || !line_start) continue;
    const std::string_view rest = trim_left(text.substr(begin + 4, 24));
    // A heading of the fourth level that introduces the answer is found by its word; one that
    // numbers a step introduces no answer.
    if (starts_with_folded(rest, "answer") || starts_with_folded(rest, "final") ||
        starts_with_folded(rest, "step "))
      continue;
    found.push_back({begin + 4, true});
    ++marks;
  }
}

// ---- where the content ends

constexpr std::array<std::string_view, 20> kSentenceStarts{
    "The",    "It", "This", "That",      "These", "They", "There", "Because", "Since", "However",
    "Option", "In", "So",   "Therefore", "We",    "Here", "If",    "As",      "I",     "Let"};

// Whether the period at `at` is the last one of "i.e." or "e.g." with something behind it.
bool abbreviates(std::string_view text, std::size_t at) {
  if (at < 3 || (at > 3 && is_alnum(text[at - 4]))) return false;
  const std::string_view word = text.substr(at - 3, 3);
  return (starts_with_folded(word, "i.e") || starts_with_folded(word, "e.g")) &&
         !trim_left(text.substr(at + 1, 24)).empty();
}

// Whether the period at `at` ends a sentence. After an initial or a title it does so only if the
// next word is one that begins sentences: "St. Louis", "J. K. Rowling", but "C. The capital".
bool ends_sentence(std::string_view text, std::size_t at) {
  const char next = char_at(text, at + 1);
  if (next == '\0' || next == '*' || next == '"') return true;
  if (!is_space(next) || abbreviates(text, at)) return false;
  std::size_t begin = at;
  while (begin > 0 && is_alpha(text[begin - 1]) && at - begin <= 4) --begin;
  const std::size_t length = at - begin;
  const bool capital = length > 0 && is_upper(text[begin]);
  if (!capital || length > 3) return length > 0 || at == 0 || text[at - 1] != '.';
  const std::string_view rest = trim_left(text.substr(at + 1, 24));
  if (rest.empty()) return true;
  return std::any_of(kSentenceStarts.begin(), kSentenceStarts.end(), [&](std::string_view word) {
    return rest.starts_with(word) && !is_alnum(char_at(rest, word.size()));
  });
}

// Bytes of a sentence mark of another script at `at`, or 0.
std::size_t other_sentence_end(std::string_view text, std::size_t at) {
  for (const std::string_view mark : phrases::kSentenceEnds) {
    if (text.substr(at).starts_with(mark)) return mark.size();
  }
  return 0;
}

std::string_view without_closing(std::string_view content) {
  for (const std::string_view closing : phrases::kClosings) {
    if (content.size() > closing.size() && content.ends_with(closing))
      return trim(content.substr(0, content.size() - closing.size()));
  }
  return content;
}

// Content whose emphasis was opened before it: "12**", "Paris`" and "12.**" without what closes it.
// A run that something inside opens stays: "2 ** x **".
std::string_view without_emphasis_end(std::string_view content) {
  for (const char sign : {'*', '`', '_'}) {
    std::size_t end = content.size();
    while (end > 0 && content[end - 1] == sign) --end;
    const bool alone = sign != '_' || content.size() - end == 2;  // x_ is cut off, x__ is emphasis
    if (end == content.size() || !alone) continue;
    const std::string_view rest = trim_right(content.substr(0, end));
    if (rest.find(sign) == npos) return rest;
  }
  return content;
}

// "The answer is 4!" exclaims; a factorial in prose is written out or set as a formula.
std::string_view without_exclamation(std::string_view content) {
  const bool exclaims = content.size() > 1 && content.ends_with('!') &&
                        is_alnum(content[content.size() - 2]) &&
                        content.find_first_of("+-*/^=\\$(") == npos;
  return exclaims ? content.substr(0, content.size() - 1) : content;
}

// The clause that begins at `at`: a displayed formula, or the rest of the sentence or line. An
// empty line moves it to the next line that has something.
Mark clause(std::string_view text, const Phrase& phrase) {
  std::size_t at = phrase.at;
  while (is_space(char_at(text, at)) || char_at(text, at) == '*' || char_at(text, at) == '`') ++at;
  for (const auto& [open, close] :
       {std::pair{"$$", "$$"}, std::pair{"\\[", "\\]"}, std::pair{"\\(", "\\)"}}) {
    if (!text.substr(std::min(at, text.size())).starts_with(open)) continue;
    const std::size_t end = text.find(close, at + 2);
    if (end == npos) continue;
    const std::string_view rest = text.substr(end + 2);
    // "\(x\) and \(y\)" goes on; a displayed formula is all there is.
    if (open[1] == '(' && rest.find_first_of(".\n") != 0 && !trim(rest).empty()) continue;
    return {trim(text.substr(at + 2, end - at - 2)), phrase.at, true, phrase.strong};
  }
  const std::size_t line = std::min(text.find('\n', at), text.size());
  std::size_t end = at;
  bool ended = line < text.size();
  for (; end < line; ++end) {
    const std::size_t mark = is_multibyte(text[end]) ? other_sentence_end(text, end) : 0;
    if (mark > 0 || (text[end] == '.' && end > at && ends_sentence(text.substr(0, line), end))) {
      ended = end + std::max<std::size_t>(mark, 1) < text.size();
      break;
    }
  }
  if (at > text.size()) return {{}, phrase.at, false, phrase.strong};
  const std::string_view content =
      without_emphasis_end(without_closing(trim(text.substr(at, end - at))));
  return {without_exclamation(content), phrase.at, ended, phrase.strong};
}

}  // namespace

std::vector<Mark> find_marks(std::string_view text) {
  std::vector<Phrase> found;
  find_answer(text, found);
  find_hashes(text, found);
  if (found.empty()) {
    find_latin(text, found);
    if (beyond_ascii(text)) find_other(text, found);
  }
  std::sort(found.begin(), found.end(), [](const Phrase& a, const Phrase& b) {
    return a.strong != b.strong ? a.strong : a.at > b.at;
  });
  if (found.size() > kMaxMarks) found.resize(kMaxMarks);
  std::vector<Mark> marks;
  if (const auto answer = last_element(text, "answer", true))
    marks.push_back({trim(answer->content), answer->begin, answer->closed, true});
  for (const Phrase& phrase : found) {
    if (const Mark mark = clause(text, phrase); !mark.content.empty()) marks.push_back(mark);
  }
  return marks;
}

}  // namespace orchestrator
