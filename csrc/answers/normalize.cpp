#include "answers/normalize.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/boolean.hpp"
#include "answers/choice.hpp"
#include "answers/date.hpp"
#include "answers/latex.hpp"
#include "answers/number.hpp"
#include "answers/units.hpp"
#include "formulas/fingerprint.hpp"
#include "formulas/parser.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::array<std::string_view, 22> kFunctions{
    "sin", "cos", "tan", "cot", "sec", "csc",    "log",    "ln",     "exp", "sqrt", "pi",
    "max", "min", "mod", "gcd", "lcm", "arcsin", "arccos", "arctan", "det", "abs",  "inf"};

// Simplified text without marks, and without spaces except between two letters or digits, where
// they separate.
std::string formula(std::string_view simplified) {
  std::string out;
  bool space = false;
  for (const char c : simplified) {
    if (c == kTextMark || c == '$') continue;
    if (c == ' ') {
      space = true;
      continue;
    }
    if (space && !out.empty() && is_alnum(out.back()) && is_alnum(c)) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

std::string folded(std::string_view text) {
  std::string out;
  bool space = false;
  for (const char c : text) {
    if (is_space(c) || is_control(c)) {
      space = !out.empty();
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += to_lower(c);
  }
  return out;
}

bool has_latex(std::string_view text) { return text.find('\\') != std::string_view::npos; }

bool has_multibyte(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_multibyte);
}

std::string text_key(std::string_view answer) {
  const std::string_view core = unwrap(answer);
  if (!has_latex(core) && !has_multibyte(core)) return "t:" + folded(core);
  const std::string plain = simplify(core);
  return "t:" + folded(unwrap(plain));
}

bool has_formula_signs(std::string_view text) {
  return text.find_first_of("\\^_=<>{}") != std::string_view::npos;
}

// "x = 5" and "2 + 3 = 5" say 5; "2x + y = 5" is an equation and says more. The left side must be
// one variable (with an index or not) or free of letters, and everything between signs free of
// letters.
std::optional<std::string_view> right_side(std::string_view text) {
  const std::size_t last = text.rfind('=');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const std::size_t first = text.find('=');
  const auto has_letter = [](std::string_view part) {
    return std::any_of(part.begin(), part.end(), is_alpha);
  };
  const std::string_view left = trim(text.substr(0, first));
  const bool variable =
      !left.empty() && is_alpha(left[0]) && (left.size() == 1 || left[1] == '_') &&
      std::all_of(left.begin() + 1, left.end(),
                  [](char c) { return is_alnum(c) || c == '_' || c == '{' || c == '}'; });
  if (left.empty() || (!variable && has_letter(left)) ||
      left.find_first_of("<>!") != std::string_view::npos)
    return std::nullopt;
  if (first < last && has_letter(text.substr(first, last - first))) return std::nullopt;
  return text.substr(last + 1);
}

// What an answer says, unwrapped and in one spelling.
class Plain {
 public:
  explicit Plain(std::string_view answer) {
    const std::string_view inside = unwrap(answer);
    simplified_ = simplify(inside);
    core_ = unwrap(simplified_);
    // unwrap() takes the dots of 0.333... for the sentence's; after decimals they are not.
    const auto after = static_cast<std::size_t>(inside.data() + inside.size() - answer.data());
    if (!inside.empty() && answer.substr(after).starts_with("..") && ends_in_decimals(core_)) {
      simplified_ = std::string(core_) + "\\ldots";
      core_ = simplified_;
    }
  }
  Plain(const Plain&) = delete;  // core_ points into simplified_
  Plain& operator=(const Plain&) = delete;

  std::string_view text() const { return core_; }

 private:
  static bool ends_in_decimals(std::string_view text) {
    std::size_t digits = text.size();
    while (digits > 0 && is_digit(text[digits - 1])) --digits;
    return digits < text.size() && digits > 0 && text[digits - 1] == '.';
  }

  std::string simplified_;
  std::string_view core_;
};

// The part after "x =" or "2 + 3 =", which says the number alone.
std::optional<std::string_view> number_side(std::string_view simplified, Kind kind) {
  if (kind != Kind::number) return right_side(simplified);
  const std::size_t sign = simplified.find_last_of("=:");
  if (sign == std::string_view::npos) return std::nullopt;
  if (simplified[sign] == ':' && sign > 0 && is_digit(simplified[sign - 1]))
    return std::nullopt;  // 10:30
  return simplified.substr(sign + 1);
}

std::optional<std::string> number_of(std::string_view simplified, const Reading& reading) {
  // First, for "one hundred second", which is not a hundred seconds.
  if (const auto value = parse_ordinal(simplified, reading))
    return (reading.kind == Kind::number ? "n:" : "o:") + *value;
  if (const auto value = parse_number(simplified, reading)) return "n:" + *value;
  const auto side = number_side(simplified, reading.kind);
  const auto value = side ? parse_number(*side, reading) : std::nullopt;
  return value ? std::optional("n:" + *value) : std::nullopt;
}

std::optional<std::string> date_of(std::string_view simplified, DateForms forms) {
  const auto date = parse_date(simplified, forms);
  return date ? std::optional("d:" + *date) : std::nullopt;
}

// Whether digits are a date rather than a quotient or a difference: it cannot be misread, or is
// padded with zeros as numbers are not (05/02/2021).
bool looks_like_date(std::string_view simplified) {
  if (!is_digit(char_at(simplified, 0))) return false;
  if (date_of(simplified, DateForms::unmistakable)) return simplified.find(':') == simplified.npos;
  const bool padded = simplified[0] == '0' || simplified.find("/0") != simplified.npos ||
                      simplified.find("-0") != simplified.npos;
  return padded && date_of(simplified, DateForms::any).has_value();
}

// The formula before a unit: "3\\sqrt{2} cm", "15 \\text{ square units}"; empty when there is none.
std::string_view before_unit(std::string_view core) {
  const std::size_t mark = core.find(kTextMark);
  if (mark != std::string_view::npos) {
    const bool unit = parse_unit(core.substr(mark), UnitScope::words).has_value();
    return unit ? trim_right(core.substr(0, mark)) : std::string_view{};
  }
  const std::size_t space = core.find_last_of(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view tail = core.substr(space + 1);
  const bool word = tail.size() > 1 && std::all_of(tail.begin(), tail.end(), is_lower);
  return word && only_known_units(tail, UnitScope::words) ? trim_right(core.substr(0, space))
                                                          : std::string_view{};
}

// Whether the way a product is written matters, which simplify() takes out: \times beside vectors,
// and matrices side by side. Then the answer with its "×" as a command, else empty.
std::string with_products_as_written(std::string_view answer) {
  const auto has = [&](std::string_view command) { return answer.find(command) != answer.npos; };
  if (!has_latex(answer)) return {};
  const bool bold = has("\\mathbf") || has("\\boldsymbol") || has("\\bm") || has("\\bold");
  const bool cross = has("\\times") || has("×");
  const bool arrows = has("\\vec") || has("\\overrightarrow") || has("\\hat");
  if (!bold && !(cross && arrows)) return {};
  std::string out(unwrap(answer));
  constexpr std::string_view kTimes = "×";
  for (std::size_t at = out.find(kTimes); at != out.npos; at = out.find(kTimes, at))
    out.replace(at, kTimes.size(), "\\times ");
  return out;
}

// The tree of a formula; `answer` is what `core` was simplified from.
std::optional<Expression> tree_of(std::string_view answer, std::string_view core) {
  if (const std::string written = with_products_as_written(answer); !written.empty()) {
    auto tree = parse(written);
    const auto ordered = [](const std::string& name) {
      return name == "\\times" || name == "\\mathbf";
    };
    if (tree && std::any_of(tree->names.begin(), tree->names.end(), ordered)) return tree;
  }
  return parse(core);
}

// The key of a formula by its value; none when it is no formula, or undecided. A run of letters is
// a product only where the task is known to be mathematics.
std::optional<std::string> formula_key(std::string_view answer, std::string_view core,
                                       const Reading& reading) {
  const bool letters = std::none_of(core.begin(), core.end(), [](char c) {
    return is_digit(c) || std::string_view("\\+*/^_=<>|()[]{}").find(c) != std::string_view::npos ||
           is_multibyte(c);
  });
  const bool factorial = core.size() == 2 && core[1] == '!';  // n!
  if (letters && core.size() > 1 && !factorial && reading.kind == Kind::automatic) {
    return std::nullopt;
  }
  if (const auto tree = tree_of(answer, core)) return fingerprint(*tree);
  if (reading.units == UnitRule::keep) return std::nullopt;
  const std::string_view bare = before_unit(core);
  if (bare.empty()) return std::nullopt;
  const auto tree = parse(bare);
  return tree ? fingerprint(*tree) : std::nullopt;
}

// The letters of "(A) and (C)", where each is in brackets and so no variable.
std::string bracketed_choices(std::string_view core) {
  if (!core.starts_with('(') || char_at(core, 2) != ')') return {};
  std::string letters = whole_choices(core);
  const auto brackets = std::count(core.begin(), core.end(), '(');
  return static_cast<std::size_t>(brackets) >= letters.size() ? letters : std::string();
}

// The kinds math and auto: the first of these that the whole answer is. Only auto knows dates and
// choices.
std::string math_key(std::string_view answer, const Reading& reading) {
  const Plain plain(answer);
  const std::string_view core = plain.text();
  if (auto key = number_of(core, reading)) return *std::move(key);
  if (reading.kind == Kind::automatic) {
    if (auto key = date_of(core, DateForms::unmistakable)) return *std::move(key);
    if (const auto letter = whole_choice(core, false); letter && *letter != 'I')
      return std::string("c:") + *letter;
    if (const std::string letters = bracketed_choices(core); !letters.empty())
      return "c:" + letters;
  }
  if (!looks_like_date(core)) {
    if (auto key = formula_key(answer, core, reading)) return *std::move(key);
  }
  if (looks_like_math(core) || has_formula_signs(core)) return "m:" + formula(core);
  std::string text(core);
  std::erase(text, kTextMark);
  return "t:" + folded(unwrap(text));
}

std::string boolean_key(std::string_view answer) {
  const Plain plain(answer);
  const auto truth = whole_boolean(plain.text());
  if (!truth) return text_key(answer);
  return *truth ? "b:true" : "b:false";
}

std::string date_key(std::string_view answer) {
  const Plain plain(answer);
  if (auto key = date_of(plain.text(), DateForms::any)) return *std::move(key);
  return text_key(answer);
}

std::string choice_key(std::string_view answer) {
  const std::string simplified = simplify(unwrap(answer));
  if (const auto letter = whole_choice(simplified, true)) return std::string("c:") + *letter;
  if (const std::string letters = whole_choices(simplified); !letters.empty())
    return "c:" + letters;
  if (const auto leading = leading_choice(simplified)) return std::string("c:") + leading->letter;
  return text_key(answer);
}

std::string code_key(std::string_view code) {
  std::string out = "x:";
  std::size_t begin = 0;
  while (begin < code.size()) {
    const std::size_t end = std::min(code.find('\n', begin), code.size());
    out.append(trim_right(code.substr(begin, end - begin))).push_back('\n');
    begin = end + 1;
  }
  while (out.ends_with("\n")) out.pop_back();
  return out;
}

}  // namespace

Kind kind_of_key(std::string_view key) {
  switch (char_at(key, 0)) {
    case 'n':
    case 'o':
      return Kind::number;
    case 'c':
      return Kind::choice;
    case 'b':
      return Kind::boolean;
    case 'd':
      return Kind::date;
    case 'm':
      return Kind::math;
    case 'x':
      return Kind::code;
    default:
      return Kind::text;
  }
}

bool looks_like_math(std::string_view simplified) {
  bool any = false;
  for (std::size_t i = 0; i < simplified.size();) {
    const char c = simplified[i];
    any = any || (c != ' ' && c != kTextMark);
    if (!is_alpha(c)) {
      if (is_multibyte(c)) return false;
      ++i;
      continue;
    }
    std::size_t end = i;
    while (is_alpha(char_at(simplified, end))) ++end;
    const bool command = i > 0 && simplified[i - 1] == '\\';
    const std::string_view word = simplified.substr(i, end - i);
    if (word.size() > 1 && !command &&
        std::find(kFunctions.begin(), kFunctions.end(), word) == kFunctions.end())
      return false;
    i = end;
  }
  return any;
}

std::optional<std::string> number_key(std::string_view answer, const Reading& reading) {
  return number_of(Plain(answer).text(), reading);
}

std::string normalize(std::string_view answer, const Reading& reading) {
  switch (reading.kind) {
    case Kind::automatic:
    case Kind::math:
      return math_key(answer, reading);
    case Kind::number:
      if (auto key = number_key(answer, reading)) return *std::move(key);
      return text_key(answer);
    case Kind::choice:
      return choice_key(answer);
    case Kind::boolean:
      return boolean_key(answer);
    case Kind::date:
      return date_key(answer);
    case Kind::code:
      return code_key(answer);
    case Kind::text:
      break;
  }
  return text_key(answer);
}

}  // namespace orchestrator
