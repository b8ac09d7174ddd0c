#include "normalize.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "choice.hpp"
#include "latex.hpp"
#include "number.hpp"
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

std::optional<std::string> number_of_simplified(std::string_view simplified, Kind kind) {
  const bool number = kind == Kind::number;
  const Units units = number ? Units::any : Units::words;
  if (auto value = parse_number(simplified, units, number)) return "n:" + *value;
  std::optional<std::string_view> right;
  if (number) {
    const std::size_t sign = simplified.find_last_of("=:");
    if (sign != std::string_view::npos) right = simplified.substr(sign + 1);
    if (right && simplified[sign] == ':' && sign > 0 && is_digit(simplified[sign - 1]))
      right.reset();  // 10:30
  } else {
    right = right_side(simplified);
  }
  if (!right) return std::nullopt;
  auto value = parse_number(*right, units, number);
  if (!value) return std::nullopt;
  return "n:" + *value;
}

std::string math_key(std::string_view answer, Kind kind) {
  const std::string simplified = simplify(unwrap(answer));
  const std::string_view core = unwrap(simplified);
  if (auto key = number_of_simplified(core, kind)) return *key;
  if (kind == Kind::automatic) {
    if (const auto letter = whole_choice(core, false); letter && *letter != 'I')
      return std::string("c:") + *letter;
  }
  if (looks_like_math(core) || has_formula_signs(core)) return "m:" + formula(core);
  std::string plain(core);
  std::erase(plain, kTextMark);
  return "t:" + folded(unwrap(plain));
}

std::string choice_key(std::string_view answer) {
  const std::string simplified = simplify(unwrap(answer));
  if (const auto letter = whole_choice(simplified, true)) return std::string("c:") + *letter;
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
      return Kind::number;
    case 'c':
      return Kind::choice;
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
  const std::string simplified = simplify(unwrap(answer));
  return number_of_simplified(unwrap(simplified), reading.kind);
}

std::string normalize(std::string_view answer, const Reading& reading) {
  switch (reading.kind) {
    case Kind::automatic:
    case Kind::math:
      return math_key(answer, reading.kind);
    case Kind::number:
      if (auto key = number_key(answer, reading)) return *key;
      return text_key(answer);
    case Kind::choice:
      return choice_key(answer);
    case Kind::code:
      return code_key(answer);
    case Kind::boolean:
    case Kind::date:
    case Kind::text:
      break;
  }
  return text_key(answer);
}

}  // namespace orchestrator
