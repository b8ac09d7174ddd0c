#include "extract.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "choice.hpp"
#include "latex.hpp"
#include "number_scan.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t kMaxMarks = 16;  // marks looked at, last first
constexpr std::size_t kMaxLines = 16;  // lines searched for a number, last first
constexpr std::size_t kMaxLine =
    2048;                              // bytes of a line that are searched for numbers and formulas
constexpr std::size_t kMaxBare = 256;  // bytes of a text in which words are looked for in full
constexpr std::size_t kMaxBareWords = 3;  // words a whole text may have to be an answer by itself
constexpr std::size_t kMaxRefusal = 300;  // bytes up to which a text can be a mere refusal

struct Mark {
  std::string_view content;
  bool complete;  // something follows it, so that a cut at the text's end did not shorten it
};

// ---- boxes
// ----------------------------------------------------------------------------------------------

std::size_t box_command(std::string_view rest) {
  if (rest.starts_with("\\boxed")) return 6;
  if (rest.starts_with("\\fbox")) return 5;
  return 0;
}

// \boxed 5: the run of characters after it.
Mark unbraced_box(std::string_view text, std::size_t from) {
  while (char_at(text, from) == ' ') ++from;
  const std::size_t end = std::min(text.find_first_of(" \t\r\n$\\", from), text.size());
  return {unwrap(text.substr(from, end - from)), end < text.size()};
}

// The last box that closes among those opened at or after `from`, found with a stack of open braces
// in one pass, so that a million unclosed ones cost no more than their length.
std::optional<Mark> last_closed_box(std::string_view text, std::size_t from) {
  std::vector<std::size_t> open;  // 2 * position after the brace + 1 when a box opened there
  std::optional<Mark> last;
  for (std::size_t at = from; at < text.size(); ++at) {
    if (text[at] == '\\') {
      const std::size_t command = box_command(text.substr(at));
      if (command == 0) {
        if (char_at(text, at + 1) == '{' || char_at(text, at + 1) == '}') ++at;
        continue;
      }
      std::size_t brace = at + command;
      while (char_at(text, brace) == ' ') ++brace;
      if (char_at(text, brace) == '{') {
        open.push_back(2 * (brace + 1) + 1);
        at = brace;
      } else if (!is_alpha(char_at(text, at + command))) {
        if (const Mark mark = unbraced_box(text, at + command); !mark.content.empty()) last = mark;
        at += command - 1;
      }
    } else if (text[at] == '{') {
      open.push_back(2 * (at + 1));
    } else if (text[at] == '}' && !open.empty()) {
      const std::size_t begin = open.back() / 2;
      const bool box = open.back() % 2 == 1;
      open.pop_back();
      const std::string_view content = trim(text.substr(begin, at - begin));
      if (box && !content.empty()) last = Mark{content, true};
    }
  }
  return last;
}

struct Box {
  std::optional<Mark> mark;
  bool opened = false;  // one opened, whether or not one closed
};

Box find_box(std::string_view text) {
  std::size_t first = npos;
  for (std::size_t at = text.size(); (at = rfind_char(text, '\\', at)) != npos;) {
    if (box_command(text.substr(at)) == 0) continue;
    if (first == npos) {
      if (auto mark = last_closed_box(text, at))
        return {mark, true};  // the usual case: the last box closes
    }
    first = at;
  }
  if (first == npos) return {};
  return {last_closed_box(text, first), true};
}

// ---- phrases
// --------------------------------------------------------------------------------------------

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

constexpr std::array<std::string_view, 5> kVerbs{"is", "are", "would be", "should be", "must be"};

constexpr std::array<std::string_view, 16> kFillers{
    "thus",       "therefore", "then",       "clearly", "simply",   "just",
    "definitely", "for sure",  "indeed",     "likely",  "probably", "most likely",
    "given by",   "equal to",  "therefore,", "thus,"};

// Where the content of the mark begins whose word "answer" ends at `at`; npos when it is no mark.
std::size_t content_after(std::string_view text, std::size_t at, bool heading) {
  at = skip_decoration(text, at);
  if (char_at(text, at) == '(') {  // Answer (in dollars): 5
    const std::size_t close = text.substr(0, std::min(text.size(), at + 48)).find(')', at);
    if (close == npos || char_at(text, skip_decoration(text, close + 1)) != ':') return npos;
    at = skip_decoration(text, close + 1);
  }
  const char c = char_at(text, at);
  if (c == ':' || c == '=') return at + 1;
  if (text.substr(at).starts_with("：")) return at + 3;
  if (heading && (c == '\n' || c == '\r')) return at;
  for (const std::string_view verb : kVerbs) {
    if (!starts_with_word(text.substr(at), verb)) continue;
    at = skip_decoration(text, at + verb.size());
    if (starts_with_word(text.substr(at), "not")) return npos;
    for (int i = 0; i < 3; ++i) {
      for (const std::string_view filler : kFillers) {
        if (!starts_with_word(text.substr(at), filler)) continue;
        at = skip_decoration(text, at + filler.size());
      }
    }
    return char_at(text, at) == ':' ? at + 1 : at;
  }
  return npos;
}

constexpr std::array<std::string_view, 20> kSentenceStarts{
    "The",    "It", "This", "That",      "These", "They", "There", "Because", "Since", "However",
    "Option", "In", "So",   "Therefore", "We",    "Here", "If",    "As",      "I",     "Let"};

// Whether the period at `at` ends a sentence. After an initial or a title it does so only if the
// next word is one that begins sentences: "St. Louis", "J. K. Rowling", but "C. The capital".
bool ends_sentence(std::string_view text, std::size_t at) {
  const char next = char_at(text, at + 1);
  if (next == '\0' || next == '*' || next == '"') return true;
  if (!is_space(next)) return false;
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

// The clause that begins at `at`: a displayed formula, or the rest of the sentence or line. An
// empty line moves it to the next line that has something.
Mark clause(std::string_view text, std::size_t at) {
  while (is_space(char_at(text, at)) || char_at(text, at) == '*' || char_at(text, at) == '`') ++at;
  for (const auto& [open, close] : {std::pair{"$$", "$$"}, std::pair{"\\[", "\\]"}}) {
    if (!text.substr(at).starts_with(open)) continue;
    const std::size_t end = text.find(close, at + 2);
    if (end != npos) return {trim(text.substr(at + 2, end - at - 2)), true};
  }
  const std::size_t line = std::min(text.find('\n', at), text.size());
  for (std::size_t end = at; end < line; ++end) {
    if (text[end] == '.' && end > at && ends_sentence(text.substr(0, line), end)) {
      return {trim(text.substr(at, end - at)), end + 1 < text.size()};
    }
  }
  return {trim(text.substr(at, line - at)), line < text.size()};
}

struct Phrase {
  std::size_t at;  // where its content begins
  bool strong;
};

// The phrases that may mark an answer, last first. "answer" is found by its `w`, a rare letter.
void find_answer_words(std::string_view text, char w, std::vector<Phrase>& phrases) {
  std::size_t marks = 0;
  for (std::size_t at = text.size(); marks < kMaxMarks && (at = rfind_char(text, w, at)) != npos;) {
    if (at < 3 || !starts_with_folded(text.substr(at - 3), "answer") ||
        is_alpha(char_at(text, at + 3)))
      continue;
    const std::size_t begin = at - 3;
    if (begin > 0 &&
        (is_alpha(text[begin - 1]) || text[begin - 1] == '<' || text[begin - 1] == '/'))
      continue;
    const bool final_word = begin >= 6 && starts_with_folded(text.substr(begin - 6), "final ");
    const std::size_t content =
        content_after(text, at + 3, heading_before(text, final_word ? begin - 6 : begin));
    if (content == npos) continue;
    phrases.push_back({content, final_word});
    ++marks;
  }
}

void find_hashes(std::string_view text, std::vector<Phrase>& phrases) {
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
    // A heading of the fourth level that introduces the answer is found by its word.
    if (starts_with_folded(rest, "answer") || starts_with_folded(rest, "final")) continue;
    phrases.push_back({begin + 4, true});
    ++marks;
  }
}

std::optional<Mark> find_tag(std::string_view text) {
  for (std::size_t at = text.size(); (at = rfind_char(text, '<', at)) != npos;) {
    if (!starts_with_folded(text.substr(at), "</answer>")) continue;
    for (std::size_t open = at; (open = rfind_char(text, '<', open)) != npos;) {
      if (!starts_with_folded(text.substr(open), "<answer>")) continue;
      return Mark{trim(text.substr(open + 8, at - open - 8)), true};
    }
    return std::nullopt;
  }
  return std::nullopt;
}

// Marked answers other than boxes: strong ones before weak ones, the last of each sort first.
std::vector<Mark> find_marks(std::string_view text) {
  std::vector<Phrase> phrases;
  find_answer_words(text, 'w', phrases);
  find_answer_words(text, 'W', phrases);
  find_hashes(text, phrases);
  std::sort(phrases.begin(), phrases.end(), [](const Phrase& a, const Phrase& b) {
    return a.strong != b.strong ? a.strong : a.at > b.at;
  });
  std::vector<Mark> marks;
  if (const auto tag = find_tag(text)) marks.push_back(*tag);
  if (phrases.size() > kMaxMarks) phrases.resize(kMaxMarks);
  for (const Phrase& phrase : phrases) {
    if (const Mark mark = clause(text, phrase.at); !mark.content.empty()) marks.push_back(mark);
  }
  return marks;
}

// ---- reading a statement as a kind
// ------------------------------------------------------------------------

std::optional<Extracted> refusing_none(std::string_view text, std::string key) {
  const std::string_view core = unwrap(text);
  if (core.empty() || key == "t:" || key == "m:" || key == "x:") return std::nullopt;
  return Extracted{std::string(core), std::move(key)};
}

Extracted of_number(std::string_view simplified, const FoundNumber& number) {
  std::string_view text = trim(simplified.substr(number.begin, number.end - number.begin));
  if (text.size() > 1 && text.back() == '$')
    text = trim(text.substr(0, text.size() - 1));  // the end of $...$
  return {std::string(text), "n:" + number.value};
}

std::optional<Extracted> of_choice(std::string_view text,
                                   const std::optional<FoundChoice>& choice) {
  if (!choice) return std::nullopt;
  return Extracted{std::string(text.substr(choice->begin, choice->end - choice->begin)),
                   std::string("c:") + choice->letter};
}

constexpr std::array<std::string_view, 19> kRefusals{
    "i cannot",           "i can't",        "i can not",    "i don't know",
    "i do not know",      "i'm sorry",      "i am sorry",   "sorry",
    "i'm unable",         "i am unable",    "i'm not able", "i am not able",
    "i'm not sure",       "i am not sure",  "as an ai",     "i won't",
    "i will not be able", "i have no idea", "i'm afraid i"};

constexpr std::array<std::string_view, 6> kNoAnswers{"n/a", "na", "?", "...", "…", "no answer"};

bool is_refusal(std::string_view text) {
  text = unwrap(text);
  if (std::find(kNoAnswers.begin(), kNoAnswers.end(), lowered(text.substr(0, 16))) !=
      kNoAnswers.end())
    return true;
  if (text.size() > kMaxRefusal) return false;
  const std::string plain = lowered(simplify(text));  // one spelling of the apostrophe
  const bool refuses =
      std::any_of(kRefusals.begin(), kRefusals.end(),
                  [&](std::string_view phrase) { return starts_with_word(plain, phrase); });
  // "I'm not sure, but I think it is 42" does answer.
  return refuses && plain.find(" but ") == std::string::npos &&
         plain.find("however") == std::string::npos;
}

// "42, since 6 * 7 is 42": what stands before the argument.
std::string_view before_argument(std::string_view statement) {
  std::size_t end = statement.size();
  for (const std::string_view word : {", ", " because", " since ", " as ", " (", "; ", " which "}) {
    end = std::min(end, statement.find(word));
  }
  return statement.substr(0, end);
}

std::optional<Extracted> number_statement(std::string_view statement, const Reading& reading) {
  if (auto key = number_key(statement, reading)) return refusing_none(statement, *std::move(key));
  const std::string simplified = simplify(unwrap(statement.substr(0, kMaxLine)));
  if (looks_like_math(simplified)) return std::nullopt;  // a formula or a list, and not a number
  const std::string_view short_form = before_argument(statement);
  if (auto key = number_key(short_form, reading)) return refusing_none(short_form, *std::move(key));
  // "$12 + $5 = $17" says 17; "42 because 6 * 7 is 42" says the first.
  const std::size_t equals = simplified.rfind('=');
  const std::string_view part =
      equals == npos ? simplified : std::string_view(simplified).substr(equals + 1);
  const NumberScan scan = scan_numbers(part, Which::first, reading);
  return scan.found ? std::optional(of_number(part, *scan.found)) : std::nullopt;
}

std::optional<Extracted> choice_statement(std::string_view statement) {
  const std::string simplified = simplify(unwrap(statement));
  if (const auto letter = whole_choice(simplified, true))
    return Extracted{std::string(1, *letter), std::string("c:") + *letter};
  if (auto leading = of_choice(simplified, leading_choice(simplified))) return leading;
  return of_choice(simplified, first_choice(simplified));
}

std::optional<Extracted> math_statement(std::string_view statement, const Reading& reading) {
  if (auto key = number_key(statement, reading)) return refusing_none(statement, *std::move(key));
  std::string key = normalize(statement, reading);
  if (reading.kind == Kind::automatic && !key.starts_with("c:") &&
      (statement.starts_with('(') || statement.starts_with("**("))) {
    const std::string simplified = simplify(statement);
    const auto leading = leading_choice(simplified);
    const bool more = leading && leading->end + 2 < simplified.size();
    if (more && is_alnum(char_at(simplified, leading->end + 2)))
      return of_choice(simplified, leading);  // (B) Paris
  }
  // "42, since 6 * 7 = 42" is a number and an argument; the list "1, 2" has no words and stays
  // whole.
  const bool words = !looks_like_math(simplify(unwrap(statement)));
  if (key.starts_with("t:") || (key.starts_with("m:") && words)) {
    const std::string_view short_form = before_argument(statement);
    if (short_form.size() < statement.size()) {
      std::string short_key = normalize(short_form, reading);
      if (!short_key.starts_with("t:")) return refusing_none(short_form, std::move(short_key));
    }
    if (reading.kind == Kind::math) {
      const std::string simplified = simplify(unwrap(statement.substr(0, kMaxLine)));
      const NumberScan scan = scan_numbers(simplified, Which::first, reading);
      if (scan.found) return of_number(simplified, *scan.found);
    }
  }
  return refusing_none(statement, std::move(key));
}

// A statement known to be the answer: the content of a mark, or a whole bare answer.
std::optional<Extracted> read_statement(std::string_view statement, const Reading& reading) {
  if (reading.kind != Kind::code && is_refusal(statement)) return std::nullopt;
  switch (reading.kind) {
    case Kind::number:
      return number_statement(statement, reading);
    case Kind::choice:
      return choice_statement(statement);
    case Kind::automatic:
    case Kind::math:
      return math_statement(statement, reading);
    case Kind::boolean:
    case Kind::date:
    case Kind::text:
    case Kind::code:
      break;
  }
  return refusing_none(statement, normalize(statement, reading));
}

// ---- unmarked texts
// ---------------------------------------------------------------------------------------

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

// The number the text ends with, and whether something unreadable stands where it should be.
struct LastNumber {
  std::optional<Extracted> answer;
  bool unreadable = false;
};

LastNumber last_number(std::string_view text, const Reading& reading) {
  LinesUp lines(text);
  for (std::size_t i = 0; i < kMaxLines; ++i) {
    const auto line = lines.next();
    if (!line) break;
    const std::string_view part = tail(*line);
    if (std::none_of(part.begin(), part.end(),
                     [](char c) { return is_digit(c) || is_multibyte(c); }))
      continue;
    const std::string simplified = simplify(part);
    const NumberScan scan = scan_numbers(simplified, Which::last, reading);
    if (scan.found) return {of_number(simplified, *scan.found), false};
    if (scan.unreadable) return {std::nullopt, true};
  }
  return {};
}

// The last formula between math delimiters on the last line, if no number or word of substance
// follows it.
std::optional<std::string_view> last_formula(std::string_view text) {
  const std::string_view line = tail(last_line(text));
  struct Pair {
    std::string_view open, close;
  };
  std::optional<std::string_view> best;
  for (const Pair pair : {Pair{"\\(", "\\)"}, Pair{"\\[", "\\]"}, Pair{"$", "$"}}) {
    const std::size_t end = line.rfind(pair.close);
    if (end == npos || end == 0) continue;
    const std::size_t begin = line.rfind(pair.open, end - 1);
    if (begin == npos || begin + pair.open.size() > end) continue;
    const std::string_view inside =
        line.substr(begin + pair.open.size(), end - begin - pair.open.size());
    const std::string_view after = line.substr(end + pair.close.size());
    // Two prices in one sentence are no formula: pandoc's rule for dollar signs.
    if (inside.empty() ||
        (pair.open == "$" &&
         (is_space(inside.front()) || is_space(inside.back()) || is_digit(char_at(after, 0)))))
      continue;
    if (std::any_of(after.begin(), after.end(), is_digit)) continue;
    if (looks_like_math(simplify(inside))) best = inside;
  }
  return best;
}

std::size_t word_count(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    count += !is_space(text[i]) && (i == 0 || is_space(text[i - 1]));
  return count;
}

// Whether the whole of an unmarked text is an answer by itself.
bool bare(std::string_view text, const Reading& reading) {
  // A long text is an answer by itself only if it is one formula; the look at it ends at its first
  // word.
  if (text.size() > kMaxBare && (text.find('\n') != npos || !looks_like_math(text))) return false;
  if (number_key(text, reading)) return true;
  const std::string simplified = simplify(unwrap(text));
  if (looks_like_math(simplified)) return true;
  return reading.kind == Kind::automatic &&
         (whole_choice(simplified, false) || word_count(text) <= kMaxBareWords);
}

std::optional<Extracted> loose_choice(std::string_view text) {
  if (const auto letter = whole_choice(last_line(text), true))
    return choice_statement(last_line(text));
  if (auto leading = of_choice(text, leading_choice(text))) return leading;
  const std::string_view line = last_line(text);
  if (auto leading = of_choice(line, leading_choice(line))) return leading;
  return of_choice(text, last_choice(text));
}

std::optional<Extracted> loose_number(std::string_view text, const Reading& reading) {
  if (text.size() <= kMaxBare || looks_like_math(text)) {
    if (auto key = number_key(text, reading)) {
      // "x = 5" says 5, and that is what to show.
      const std::string_view said = trim(text.substr(text.rfind('=') + 1));
      return refusing_none(said.empty() ? text : said, *std::move(key));
    }
    if (looks_like_math(simplify(unwrap(text)))) return std::nullopt;
  }
  return last_number(text, reading).answer;
}

std::optional<Extracted> loose_math(std::string_view text, const Reading& reading) {
  if (bare(text, reading)) return math_statement(text, reading);
  if (reading.kind == Kind::automatic) {
    const std::string_view line = last_line(text);
    if (const auto letter = whole_choice(line, false); letter && *letter != 'I')
      return choice_statement(line);
    const bool bracketed =
        text.starts_with('(') || text.starts_with("**(") || char_at(text, 1) == ')';
    if (auto leading = of_choice(text, leading_choice(text)); leading && bracketed) return leading;
  }
  if (const auto inside = last_formula(text)) return math_statement(*inside, reading);
  if (auto number = last_number(text, reading); number.answer) return std::move(number.answer);
  const std::string_view line = last_line(text);
  if (reading.kind == Kind::automatic) {
    const auto letter = last_choice(line);
    if (letter && trim(line.substr(letter->end)).find_first_not_of(".)*]") == npos)
      return of_choice(line, letter);
  }
  return refusing_none(line, normalize(line, reading));
}

std::optional<Extracted> read_loose(std::string_view text, const Reading& reading) {
  if (is_refusal(text)) return std::nullopt;
  switch (reading.kind) {
    case Kind::number:
      return loose_number(text, reading);
    case Kind::choice:
      return loose_choice(text);
    case Kind::automatic:
    case Kind::math:
      return loose_math(text, reading);
    case Kind::boolean:
    case Kind::date:
    case Kind::text:
    case Kind::code:
      break;
  }
  const std::string_view line = last_line(text);
  return refusing_none(line, normalize(line, reading));
}

}  // namespace

std::optional<std::string_view> after_thinking(std::string_view text) {
  for (std::size_t at = text.size(); (at = rfind_char(text, '<', at)) != npos;) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("</think>")) return rest.substr(8);
    if (rest.starts_with("</thinking>")) return rest.substr(11);
    if (rest.starts_with("<think>") || rest.starts_with("<thinking>")) return std::nullopt;
  }
  return text;
}

std::optional<std::string_view> last_code_block(std::string_view text) {
  std::optional<std::string_view> last;
  std::size_t open = npos;
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    const std::string_view content = trim(text.substr(line, end - line));
    if (content.starts_with("```")) {
      if (open == npos) {
        open = std::min(end + 1, text.size());
      } else if (content == "```") {
        last = text.substr(open, line - open);
        open = npos;
      }
    }
    line = end + 1;
  }
  return last;
}

std::vector<std::string_view> json_spans(std::string_view text, std::size_t limit) {
  std::vector<std::size_t> open;
  std::vector<std::pair<std::size_t, std::size_t>> spans;  // outermost so far
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"' || c == '\n')
        in_string = false;  // JSON strings do not span lines: that quote was prose
      continue;
    }
    if (c == '"') in_string = !open.empty();
    if (c == '{' || c == '[') open.push_back(at);
    if ((c == '}' || c == ']') && !open.empty()) {
      const std::size_t begin = open.back();
      open.pop_back();
      if ((text[begin] == '{') != (c == '}')) continue;
      while (!spans.empty() && spans.back().first > begin) spans.pop_back();
      spans.emplace_back(begin, at + 1);
    }
  }
  std::vector<std::string_view> result;
  for (std::size_t i = spans.size() > limit ? spans.size() - limit : 0; i < spans.size(); ++i) {
    result.push_back(text.substr(spans[i].first, spans[i].second - spans[i].first));
  }
  return result;
}

std::optional<Extracted> extract(std::string_view text, const Reading& reading, bool truncated) {
  const auto visible = after_thinking(text);
  if (!visible) return std::nullopt;
  if (reading.kind == Kind::code) {
    const auto block = last_code_block(*visible);
    if (!block || trim(*block).empty()) return std::nullopt;
    return Extracted{std::string(*block), normalize(*block, reading)};
  }
  const std::string_view body = trim(*visible);
  if (body.empty()) return std::nullopt;
  bool marked = false;
  const auto read = [&](const Mark& mark) -> std::optional<Extracted> {
    marked = true;
    return truncated && !mark.complete ? std::nullopt : read_statement(mark.content, reading);
  };
  if (const Box box = find_box(body); box.opened) {
    marked = true;
    if (box.mark) {
      if (auto answer = read(*box.mark)) return answer;
    }
  }
  for (const Mark& mark : find_marks(body)) {
    if (auto answer = read(mark)) return answer;
  }
  return marked || truncated ? std::nullopt : read_loose(body, reading);
}

std::vector<std::optional<std::string>> extract_keys(
    std::span<const std::optional<std::string_view>> texts, const Reading& reading) {
  std::vector<std::optional<std::string>> keys;
  keys.reserve(texts.size());
  for (const auto& text : texts) {
    auto answer = text ? extract(*text, reading) : std::nullopt;
    keys.push_back(answer ? std::optional(std::move(answer->key)) : std::nullopt);
  }
  return keys;
}

}  // namespace orchestrator
