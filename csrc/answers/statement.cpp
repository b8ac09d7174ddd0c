#include "answers/statement.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/answer_phrases.hpp"
#include "answers/latex.hpp"
#include "answers/math_spans.hpp"
#include "answers/prose.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t kMaxProse = 2048;   // bytes of a statement that are searched inside
constexpr std::size_t kMaxRefusal = 300;  // bytes up to which a text can be a mere refusal

constexpr std::array<std::string_view, 21> kRefusals{
    "i cannot",           "i can't",        "i can not",    "i don't know",
    "i do not know",      "i'm sorry",      "i am sorry",   "sorry",
    "i'm unable",         "i am unable",    "i'm not able", "i am not able",
    "i'm not sure",       "i am not sure",  "as an ai",     "i won't",
    "i will not be able", "i have no idea", "i'm afraid i", "i am afraid i",
    "i apologize, but i"};

constexpr std::array<std::string_view, 6> kNoAnswers{"n/a", "na", "?", "...", "…", "no answer"};

// "42, since 6 * 7 is 42": what stands before the argument, which is words and not more formulas.
std::string_view before_argument(std::string_view statement) {
  std::size_t end = statement.size();
  for (const std::string_view word : {" because", " since ", " as ", " (", " which ", "，",
                                      " weil ", " car ", " porque ", " perché "}) {
    end = std::min(end, statement.find(word));
  }
  for (const std::string_view word : {", ", "; "}) {
    const std::size_t at = statement.find(word);
    if (at < end && !is_formula(statement.substr(at + word.size()))) end = at;
  }
  return statement.substr(0, end);
}

// "$\\frac34$, i.e. 0.75": what is then said again in other words.
std::string_view before_restatement(std::string_view statement) {
  const std::size_t at = statement.find("i.e.");
  if (at == npos || at == 0 || is_alnum(statement[at - 1])) return statement;
  std::string_view said = statement.substr(0, at);
  while (!said.empty() &&
         (is_space(said.back()) || std::string_view(",;(").find(said.back()) != npos))
    said.remove_suffix(1);
  return said.empty() ? statement : said;
}

// "The largest $n$ is 34": what stands after the last verb; nothing without one.
std::string_view after_verb(std::string_view statement) {
  constexpr std::array<std::string_view, 6> kVerbs{" is ",      " are ", " equals ",
                                                   " becomes ", " was ", " be "};
  std::size_t begin = npos;
  for (const std::string_view verb : kVerbs) {
    const std::size_t at = statement.rfind(verb);
    if (at == npos) continue;
    const std::size_t end = at + verb.size();
    begin = begin == npos ? end : std::max(begin, end);
  }
  return begin == npos ? std::string_view{} : trim(statement.substr(begin));
}

std::optional<Extracted> number_statement(std::string_view statement, const Reading& reading) {
  if (auto key = number_key(statement, reading)) return unless_empty(statement, *std::move(key));
  const std::string simplified = simplify(unwrap(statement.substr(0, kMaxProse)));
  if (looks_like_math(simplified)) return std::nullopt;  // a formula or a list, and not a number
  const std::string_view short_form = before_argument(statement);
  if (auto key = number_key(short_form, reading)) return unless_empty(short_form, *std::move(key));
  if (const std::string_view said = after_verb(short_form); !said.empty()) {
    if (auto key = number_key(said, reading)) return unless_empty(said, *std::move(key));
  }
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
  if (const std::string letters = whole_choices(simplified); !letters.empty())
    return unless_empty(statement, "c:" + letters);
  if (auto leading = of_choice(simplified, leading_choice(simplified))) return leading;
  return of_choice(simplified, first_choice(simplified));
}

// "(B) Paris", "B) 42", "\textbf{(B) }42": a letter that its bracket shows to be no variable.
std::optional<Extracted> bracketed_choice(std::string_view statement) {
  const std::string simplified = simplify(statement);
  const std::size_t start = simplified.find_first_not_of("* \x01");
  if (start == npos) return std::nullopt;
  const bool in_text = start > 0 && simplified.find(kTextMark) < start;
  const bool bracket = simplified[start] == '(' || char_at(simplified, start + 1) == ')';
  const auto leading = bracket ? leading_choice(simplified) : std::nullopt;
  if (!leading || leading->begin > start + 1) return std::nullopt;
  std::size_t after = leading->end + 1;
  while (char_at(simplified, after) == '*' || char_at(simplified, after) == kTextMark) ++after;
  const bool spaced = char_at(simplified, after) == ' ';
  if (!(spaced || in_text) || !is_alnum(char_at(simplified, after + (spaced ? 1 : 0))))
    return std::nullopt;
  return of_choice(simplified, leading);
}

// An answer in a part of a statement, if that part is more than words.
std::optional<Extracted> part_of_statement(std::string_view part, const Reading& reading) {
  if (part.empty()) return std::nullopt;
  std::string key = normalize(part, reading);
  if (key.starts_with("t:")) return std::nullopt;
  return is_formula(part) || !key.starts_with("m:") ? unless_empty(part, std::move(key))
                                                    : std::nullopt;
}

// The number of a statement that has just one: "12 and 13" says neither.
std::optional<Extracted> only_number(std::string_view simplified, const Reading& reading) {
  const NumberScan first = scan_numbers(simplified, Which::first, reading);
  const NumberScan last = scan_numbers(simplified, Which::last, reading);
  if (!first.found || !last.found || first.found->begin != last.found->begin) return std::nullopt;
  return of_number(simplified, *first.found);
}

// A statement in words around its answer.
std::optional<Extracted> math_in_words(std::string_view statement, const Reading& reading) {
  const std::string_view prose = statement.substr(0, kMaxProse);
  const std::string_view short_form = before_argument(prose);
  if (short_form.size() < prose.size()) {
    std::string key = normalize(short_form, reading);
    if (!key.starts_with("t:")) return unless_empty(short_form, std::move(key));
  }
  if (auto said = part_of_statement(after_verb(short_form), reading)) return said;
  if (const auto formula = last_formula(prose))
    return unless_empty(formula->content, normalize(formula->content, reading));
  return reading.kind == Kind::math ? only_number(simplify(unwrap(prose)), reading) : std::nullopt;
}

std::optional<Extracted> math_statement(std::string_view statement, const Reading& reading) {
  std::string key = normalize(statement, reading);
  if (reading.kind == Kind::automatic && !key.starts_with("c:")) {
    if (auto choice = bracketed_choice(statement)) return choice;
  }
  // "42, since 6 * 7 = 42" is a number and an argument; the list "1, 2" has no words and stays
  // whole.
  const bool formula = key.starts_with("m:") && is_formula(unwrap(statement));
  if (!formula && (key.starts_with("t:") || key.starts_with("m:"))) {
    if (auto said = math_in_words(statement, reading)) return said;
  }
  return unless_empty(statement, std::move(key));
}

// The contents of "$1$, $2$ and $3$" in one list, or of one formula whose delimiters unwrap()
// leaves, when the statement is nothing else.
std::optional<std::string> delimited_formulas(std::string_view statement) {
  const std::string_view core = unwrap(statement);
  if (core.find('$') == npos && core.find("\\)") == npos) return std::nullopt;
  const auto formula = last_formula(statement);
  if (!formula || formula->begin != 0) return std::nullopt;
  const std::string_view rest = trim(statement.substr(formula->end));
  if (!rest.empty() && rest != ".") return std::nullopt;
  return formula->content;
}

// Text that was escaped once too often, as in a string literal: \\frac{1}{2} for \frac{1}{2}. A row
// of a matrix ends in two backslashes too, but no command's name follows them directly.
bool over_escaped(std::string_view text) {
  constexpr std::array<std::string_view, 24> kCommands{
      "frac", "dfrac", "tfrac", "sqrt", "left",  "right",  "text",  "mathrm",
      "pi",   "cdot",  "times", "cup",  "cap",   "infty",  "leq",   "geq",
      "in",   "begin", "end",   "pm",   "boxed", "approx", "theta", "circ"};
  for (std::size_t at = text.find("\\\\"); at != npos; at = text.find("\\\\", at + 2)) {
    std::size_t end = at + 2;
    while (is_alpha(char_at(text, end))) ++end;
    const std::string_view name = text.substr(at + 2, end - at - 2);
    if (std::find(kCommands.begin(), kCommands.end(), name) != kCommands.end()) return true;
  }
  return false;
}

std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\\' && char_at(text, i + 1) == '\\') ++i;
  }
  return out;
}

// The whole of it, or the one inside of it.
std::optional<Extracted> scalar_statement(std::string_view statement, const Reading& reading) {
  std::string key = normalize(statement, reading);
  if (!key.starts_with("t:")) return unless_empty(statement, std::move(key));
  return read_scalar_in(statement, reading);
}

std::optional<Extracted> read_as(std::string_view statement, const Reading& reading) {
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
      return scalar_statement(statement, reading);
    case Kind::text:
    case Kind::code:
      break;
  }
  return unless_empty(statement, normalize(statement, reading));
}

bool reads_formulas(Kind kind) { return kind == Kind::automatic || kind == Kind::math; }

}  // namespace

std::optional<Extracted> unless_empty(std::string_view text, std::string key) {
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

std::optional<Extracted> read_scalar_in(std::string_view text, const Reading& reading) {
  const auto part = reading.kind == Kind::boolean ? boolean_in(text) : date_in(text);
  if (!part) return std::nullopt;
  std::string key = normalize(*part, reading);
  return key.starts_with("t:") ? std::nullopt : unless_empty(*part, std::move(key));
}

namespace {

// Dots and dashes alone: the answer was left open.
bool is_left_open(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  if (text.empty() || text.size() > kLongest) return false;
  while (!text.empty()) {
    std::size_t taken = text[0] == '.' || text[0] == '-' || text[0] == '_' || is_space(text[0]);
    for (const std::string_view mark : {"…", "–", "—", "―", "‐", "‑", "−"}) {
      if (taken == 0 && text.starts_with(mark)) taken = mark.size();
    }
    if (taken == 0) return false;
    text.remove_prefix(taken);
  }
  return true;
}

}  // namespace

bool is_refusal(std::string_view text) {
  text = unwrap(text);
  if (is_left_open(text)) return true;
  if (std::find(kNoAnswers.begin(), kNoAnswers.end(), lowered(text.substr(0, 16))) !=
      kNoAnswers.end())
    return true;
  if (text.size() > kMaxRefusal) return false;
  const char first = to_lower(char_at(text, 0));
  if (is_digit(first) || first == '\\' || first == '$' || first == '(') return false;
  const std::string plain = lowered(simplify(text));  // one spelling of the apostrophe
  const auto refuses = [](std::string_view said) {
    const auto begins = [&](std::string_view phrase) { return starts_with_word(said, phrase); };
    return std::any_of(kRefusals.begin(), kRefusals.end(), begins) ||
           std::any_of(phrases::kRefusals.begin(), phrases::kRefusals.end(), begins);
  };
  if (!refuses(plain)) return false;
  // "I'm not sure, but I think it is 42" does answer; "I'm sorry, but I cannot help" does not.
  const std::size_t turn = plain.rfind(" but ");
  if (turn != npos) return refuses(trim(std::string_view(plain).substr(turn + 5)));
  return plain.find("however") == npos;
}

std::optional<Extracted> read_statement(std::string_view statement, const Reading& reading) {
  if (reading.kind != Kind::code && is_refusal(statement)) return std::nullopt;
  if (reading.kind != Kind::code && reading.kind != Kind::text)
    statement = before_restatement(statement);
  if (!reads_formulas(reading.kind)) return read_as(statement, reading);
  while (statement.size() > 1 && statement.back() == '\\' && !statement.ends_with("\\\\"))
    statement = trim(statement.substr(0, statement.size() - 1));  // a sentence's stray escape
  if (statement.size() > 4 && statement.starts_with("\\\"") && statement.ends_with("\\\""))
    statement = trim(statement.substr(2, statement.size() - 4));  // quotes of a string literal
  std::optional<std::string> rewritten = delimited_formulas(statement);
  if (over_escaped(rewritten ? std::string_view(*rewritten) : statement))
    rewritten = unescaped(rewritten ? std::string_view(*rewritten) : statement);
  if (!rewritten) return read_as(statement, reading);
  auto answer = read_as(*rewritten, reading);
  if (answer && answer->text == unwrap(*rewritten)) answer->text = std::string(unwrap(statement));
  return answer;
}

}  // namespace orchestrator
