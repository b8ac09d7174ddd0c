#include "formulas/notation.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"

namespace orchestrator {
namespace {

using enum TokenKind;

constexpr std::uint8_t of(Op op) { return static_cast<std::uint8_t>(op); }
constexpr std::uint8_t of(Function function) { return static_cast<std::uint8_t>(function); }
constexpr std::uint8_t of(Relation relation) { return static_cast<std::uint8_t>(relation); }

constexpr bool by_name(const Notation& a, const Notation& b) { return a.name < b.name; }

template <std::size_t N>
constexpr std::array<Notation, N> sorted(std::array<Notation, N> entries) {
  std::sort(entries.begin(), entries.end(), by_name);
  return entries;
}

template <std::size_t N>
constexpr bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Functions and constants that are written with a backslash and without one.
#define ORCHESTRATOR_SHARED_WORDS                                                                  \
  {"sin", function, of(Function::sin)}, {"cos", function, of(Function::cos)},                      \
      {"tan", function, of(Function::tan)}, {"tg", function, of(Function::tan)},                   \
      {"cot", function, of(Function::cot)}, {"ctg", function, of(Function::cot)},                  \
      {"sec", function, of(Function::sec)}, {"csc", function, of(Function::csc)},                  \
      {"cosec", function, of(Function::csc)}, {"arcsin", function, of(Function::arcsin)},          \
      {"arccos", function, of(Function::arccos)}, {"arctan", function, of(Function::arctan)},      \
      {"arctg", function, of(Function::arctan)}, {"arccot", function, of(Function::arccot)},       \
      {"arcsec", function, of(Function::arcsec)}, {"arccsc", function, of(Function::arccsc)},      \
      {"asin", function, of(Function::arcsin)}, {"acos", function, of(Function::arccos)},          \
      {"atan", function, of(Function::arctan)}, {"sinh", function, of(Function::sinh)},            \
      {"cosh", function, of(Function::cosh)}, {"tanh", function, of(Function::tanh)},              \
      {"coth", function, of(Function::coth)}, {"sech", function, of(Function::sech)},              \
      {"csch", function, of(Function::csch)}, {"arcsinh", function, of(Function::arcsinh)},        \
      {"arccosh", function, of(Function::arccosh)}, {"arctanh", function, of(Function::arctanh)},  \
      {"arsinh", function, of(Function::arcsinh)}, {"arcosh", function, of(Function::arccosh)},    \
      {"artanh", function, of(Function::arctanh)}, {"asinh", function, of(Function::arcsinh)},     \
      {"acosh", function, of(Function::arccosh)}, {"atanh", function, of(Function::arctanh)},      \
      {"ln", function, of(Function::ln)}, {"log", function, of(Function::log)},                    \
      {"exp", function, of(Function::exp)}, {"gcd", function, of(Function::gcd)},                  \
      {"lcm", function, of(Function::lcm)}, {"min", function, of(Function::min)},                  \
      {"max", function, of(Function::max)}, {"sgn", function, of(Function::sign)},                 \
      {"sign", function, of(Function::sign)}, {"Re", function, of(Function::real_part)},           \
      {"Im", function, of(Function::imaginary_part)}, {"arg", function, of(Function::argument)},   \
      {"det", function, of(Function::determinant)}, {"sqrt", root, 2},                             \
      {"pi", constant, of(Op::pi)}, {"abs", call, of(Op::absolute)}, {"mod", modulo},              \
      {"alpha", symbol}, {"beta", symbol}, {"gamma", symbol}, {"delta", symbol},                   \
      {"epsilon", symbol}, {"theta", symbol}, {"lambda", symbol}, {"mu", symbol}, {"rho", symbol}, \
      {"sigma", symbol}, {"tau", symbol}, {"phi", symbol}, {                                       \
    "omega", symbol                                                                                \
  }

// Words that need no backslash.
constexpr auto kWords = sorted(std::to_array<Notation>({
    ORCHESTRATOR_SHARED_WORDS,
    {"cbrt", root, 3},
    {"binom", binomial},
    {"binomial", binomial},
    {"inf", constant, of(Op::infinity)},
    {"infinity", constant, of(Op::infinity)},
    {"floor", call, of(Op::floor)},
    {"ceil", call, of(Op::ceiling)},
    {"ceiling", call, of(Op::ceiling)},
    {"conj", function, of(Function::conjugate)},
    {"transpose", function, of(Function::transpose)},
    {"and", both},
    {"or", either},
    {"And", both},
    {"Or", either},
    {"union", set_operator, of(Op::set_union)},
}));

constexpr auto kCommands = sorted(std::to_array<Notation>({
    ORCHESTRATOR_SHARED_WORDS,
    // Greek letters that are no plain words, and other letters.
    {"zeta", symbol},
    {"eta", symbol},
    {"iota", symbol},
    {"kappa", symbol},
    {"nu", symbol},
    {"xi", symbol},
    {"upsilon", symbol},
    {"chi", symbol},
    {"psi", symbol},
    {"varepsilon", symbol},
    {"vartheta", symbol},
    {"varphi", symbol},
    {"varrho", symbol},
    {"varsigma", symbol},
    {"Gamma", symbol},
    {"Delta", symbol},
    {"Theta", symbol},
    {"Lambda", symbol},
    {"Xi", symbol},
    {"Pi", symbol},
    {"Sigma", symbol},
    {"Upsilon", symbol},
    {"Phi", symbol},
    {"Psi", symbol},
    {"Omega", symbol},
    {"ell", symbol},
    {"hbar", symbol},
    {"nabla", symbol},
    {"lg", function, of(Function::log)},
    {"Arg", function, of(Function::argument)},
    {"imath", constant, of(Op::imaginary)},
    {"infty", constant, of(Op::infinity)},
    {"emptyset", constant, of(Op::empty_set)},
    {"varnothing", constant, of(Op::empty_set)},
    {"R", set_name},
    {"N", set_name},
    {"Z", set_name},
    {"Q", set_name},
    {"C", set_name},
    {"frac", fraction},
    {"dfrac", fraction},
    {"tfrac", fraction},
    {"cfrac", fraction},
    {"binom", binomial},
    {"dbinom", binomial},
    {"tbinom", binomial},
    {"over", over},
    {"choose", choose},
    {"begin", matrix_begin},
    {"end", matrix_end},
    // Operators.
    {"cdot", times},
    {"times", times, kCross},
    {"ast", times},
    {"star", times},
    {"div", slash},
    {"pm", plus_minus},
    {"mp", minus_plus},
    {"percent", percent},
    {"bmod", modulo},
    {"pmod", pmodulo},
    {"cup", set_operator, of(Op::set_union)},
    {"bigcup", set_operator, of(Op::set_union)},
    {"cap", set_operator, of(Op::set_intersection)},
    {"bigcap", set_operator, of(Op::set_intersection)},
    {"setminus", set_operator, of(Op::set_difference)},
    {"smallsetminus", set_operator, of(Op::set_difference)},
    {"backslash", set_operator, of(Op::set_difference)},
    {"land", conjunction},
    {"wedge", conjunction},
    {"lor", disjunction},
    {"vee", disjunction},
    // Brackets.
    {"lbrace", set_open},
    {"rbrace", set_close},
    {"lbrack", bracket_open},
    {"rbrack", bracket_close},
    {"langle", angle_open},
    {"rangle", angle_close},
    {"lfloor", floor_open},
    {"rfloor", floor_close},
    {"lceil", ceiling_open},
    {"rceil", ceiling_close},
    {"lvert", bar_open},
    {"rvert", bar_close},
    {"vert", bar},
    {"Vert", norm},
    {"lVert", norm},
    {"rVert", norm},
    {"mid", mid},
    {"colon", colon},
    // Relations.
    {"eq", relation, of(Relation::equal)},
    {"ne", relation, of(Relation::not_equal)},
    {"neq", relation, of(Relation::not_equal)},
    {"lt", relation, of(Relation::less)},
    {"gt", relation, of(Relation::greater)},
    {"le", relation, of(Relation::less_equal)},
    {"leq", relation, of(Relation::less_equal)},
    {"leqslant", relation, of(Relation::less_equal)},
    {"leqq", relation, of(Relation::less_equal)},
    {"ge", relation, of(Relation::greater_equal)},
    {"geq", relation, of(Relation::greater_equal)},
    {"geqslant", relation, of(Relation::greater_equal)},
    {"geqq", relation, of(Relation::greater_equal)},
    {"approx", relation, of(Relation::approximately)},
    {"equiv", relation, of(Relation::congruent)},
    {"in", relation, of(Relation::member)},
    {"notin", relation, of(Relation::not_member)},
    {"subset", relation, of(Relation::subset)},
    {"subseteq", relation, of(Relation::subset)},
    {"sim", relation, of(Relation::similar)},
    {"simeq", relation, of(Relation::similar)},
    {"cong", relation, of(Relation::similar)},
    {"parallel", relation, of(Relation::similar)},
    {"perp", relation, of(Relation::similar)},
    {"propto", relation, of(Relation::similar)},
    {"not", negated},
    // Layout.
    {"left", sized, kLeftSide},
    {"right", sized, kRightSide},
    {"bigl", sized, kLeftSide},
    {"bigr", sized, kRightSide},
    {"Bigl", sized, kLeftSide},
    {"Bigr", sized, kRightSide},
    {"biggl", sized, kLeftSide},
    {"biggr", sized, kRightSide},
    {"Biggl", sized, kLeftSide},
    {"Biggr", sized, kRightSide},
    {"big", sized},
    {"Big", sized},
    {"bigg", sized},
    {"Bigg", sized},
    {"middle", sized},
    {"displaystyle", space},
    {"textstyle", space},
    {"scriptstyle", space},
    {"limits", space},
    {"nolimits", space},
    {"quad", space},
    {"qquad", space},
    {"hfill", space},
    {"hline", space},
    {"thinspace", space},
    {"degree", degree},
    {"text", styled},
    {"textbf", styled},
    {"textit", styled},
    {"textrm", styled},
    {"textnormal", styled},
    {"textsf", styled},
    {"texttt", styled},
    {"mbox", styled},
    {"hbox", styled},
    {"emph", styled},
    {"operatorname", styled},
    {"mathrm", styled, kMathStyle},
    {"mathbf", styled, kMathStyle},
    {"mathit", styled, kMathStyle},
    {"mathsf", styled, kMathStyle},
    {"mathtt", styled, kMathStyle},
    {"mathcal", styled, kMathStyle},
    {"boldsymbol", styled, kMathStyle},
    {"bm", styled, kMathStyle},
    {"bold", styled, kMathStyle},
    {"boxed", styled, kBoxStyle},
    {"fbox", styled, kBoxStyle},
    {"ensuremath", styled, kBoxStyle},
    {"mathbb", set_name, 1},
    {"hat", accent},
    {"partial", accent},
    {"widehat", accent},
    {"bar", accent},
    {"overline", accent},
    {"vec", accent},
    {"overrightarrow", accent},
    {"tilde", accent},
    {"widetilde", accent},
    {"dot", accent},
    {"ddot", accent},
    {"angle", accent},
    {"triangle", accent},
}));

#undef ORCHESTRATOR_SHARED_WORDS

template <std::size_t N>
const Notation* find_in(const std::array<Notation, N>& entries, std::string_view name) {
  const auto found = std::lower_bound(entries.begin(), entries.end(), Notation{name, end}, by_name);
  return found != entries.end() && found->name == name ? &*found : nullptr;
}

// What latex.hpp's simplify leaves of signs beyond ASCII. The longer of two signs needs no place
// before the shorter: no character begins another.
constexpr auto kSigns = std::to_array<Sign>({
    {"√", "sqrt"},     {"∪", "cup"},     {"∩", "cap"},      {"∈", "in"},       {"∉", "notin"},
    {"∅", "emptyset"}, {"⊂", "subset"},  {"⊆", "subseteq"}, {"∖", "setminus"}, {"∓", "mp"},
    {"≡", "equiv"},    {"≅", "cong"},    {"∼", "sim"},      {"∥", "parallel"}, {"⊥", "perp"},
    {"∧", "land"},     {"∨", "lor"},     {"⌊", "lfloor"},   {"⌋", "rfloor"},   {"⌈", "lceil"},
    {"⌉", "rceil"},    {"⟨", "langle"},  {"⟩", "rangle"},   {"⩽", "le"},       {"⩾", "ge"},
    {"∣", "mid"},      {"∠", "angle"},   {"△", "triangle"}, {"ℝ", "R"},        {"ℕ", "N"},
    {"ℤ", "Z"},        {"ℚ", "Q"},       {"ℂ", "C"},        {"°", "degree"},   {"∗", "ast"},
    {"•", "cdot"},     {"∙", "cdot"},    {"α", "alpha"},    {"β", "beta"},     {"γ", "gamma"},
    {"δ", "delta"},    {"ε", "epsilon"}, {"ζ", "zeta"},     {"η", "eta"},      {"θ", "theta"},
    {"ι", "iota"},     {"κ", "kappa"},   {"λ", "lambda"},   {"μ", "mu"},       {"ν", "nu"},
    {"ξ", "xi"},       {"ρ", "rho"},     {"σ", "sigma"},    {"τ", "tau"},      {"υ", "upsilon"},
    {"φ", "phi"},      {"ϕ", "phi"},     {"χ", "chi"},      {"ψ", "psi"},      {"ω", "omega"},
    {"Γ", "Gamma"},    {"Δ", "Delta"},   {"Θ", "Theta"},    {"Λ", "Lambda"},   {"Ξ", "Xi"},
    {"Π", "Pi"},       {"Σ", "Sigma"},   {"Φ", "Phi"},      {"Ψ", "Psi"},      {"Ω", "Omega"},
    {"€", "quad"},     {"£", "quad"},    {"¥", "quad"},
});

// Units and words made of letters that are variables too.
constexpr auto kShortWords = std::to_array<std::string_view>(
    {"cm",  "mm",  "km",  "dm",  "nm",  "kg",  "mg",  "ml",  "dl",  "cl",  "ft",  "lb",  "hr",
     "ms",  "kn",  "kw",  "gb",  "kb",  "mb",  "tb",  "sq",  "as",  "at",  "am",  "an",  "by",
     "my",  "us",  "up",  "pm",  "st",  "nd",  "rd",  "th",  "mr",  "dr",  "vs",  "lbs", "hrs",
     "mph", "rpm", "nth", "kwh", "mrs", "tsp", "pts", "pcs", "yrs", "wks", "kph", "kmh", "kW",
     "mA",  "mL",  "cL",  "dL",  "kB",  "pH",  "kN",  "mV",  "kV",  "dB",  "nF",  "tv"});

// What one ASCII character says.
constexpr std::array<Mark, 128> kMarks = [] {
  std::array<Mark, 128> marks{};
  constexpr std::string_view kWritten = "*^_+-/()[]{},;:&|~%";
  constexpr std::array kKinds{times,      power,       low,         plus,         minus,
                              slash,      paren_open,  paren_close, bracket_open, bracket_close,
                              brace_open, brace_close, comma,       semicolon,    colon,
                              ampersand,  bar,         space,       percent};
  for (std::size_t i = 0; i < kWritten.size(); ++i)
    marks[static_cast<unsigned char>(kWritten[i])] = {kKinds[i]};
  marks['='] = {relation, of(Relation::equal)};
  marks['<'] = {relation, of(Relation::less)};
  marks['>'] = {relation, of(Relation::greater)};
  return marks;
}();

bool ascending(std::string_view run) {
  return std::adjacent_find(run.begin(), run.end(), std::greater_equal<>{}) == run.end();
}

bool all_of(std::string_view run, std::string_view letters) {
  return run.find_first_not_of(letters) == std::string_view::npos;
}

}  // namespace

const Notation* command_notation(std::string_view name) { return find_in(kCommands, name); }

const Notation* word_notation(std::string_view word) { return find_in(kWords, word); }

const Sign* sign_notation(std::string_view text) {
  const auto found = std::find_if(kSigns.begin(), kSigns.end(),
                                  [&](const Sign& sign) { return text.starts_with(sign.sign); });
  return found == kSigns.end() ? nullptr : &*found;
}

Mark mark_notation(char sign) {
  return is_multibyte(sign) ? Mark{} : kMarks[static_cast<unsigned char>(sign)];
}

Mark pair_notation(char first, char second) {
  if (first == '*' && second == '*') return {power};
  if (second != '=') return {};
  if (first == '<') return {relation, of(Relation::less_equal)};
  if (first == '>') return {relation, of(Relation::greater_equal)};
  return {first == '=' || first == ':' ? relation : end, of(Relation::equal)};
}

bool is_differential(std::string_view run) {
  return run.size() == 2 && run[0] == 'd' && std::string_view("rstuvxyz").find(run[1]) != run.npos;
}

bool is_product_of_letters(std::string_view run) {
  if (run.size() < 2 || run.size() > 4) return false;
  const bool lower = std::all_of(run.begin(), run.end(), is_lower);
  if (lower && all_of(run, "abcdwxyz") && ascending(run)) return true;
  if (run.size() > 3 || contains(kShortWords, run)) return false;
  if (!lower) {
    const bool capitals = is_upper(run[0]) && is_upper(run[1]);
    const bool mixed = is_lower(run[0]) || std::string_view("xyz").find(run[1]) != run.npos;
    return run.size() == 2 && (capitals || mixed);
  }
  if (run.find_first_of("eio") != run.npos) return false;
  const bool vowels = run.find_first_of("auy") != run.npos;
  if (!vowels || run == "uvw") return true;
  if (run.find('y') != run.npos && run.find_first_of("xz") != run.npos &&
      run.find_first_of("au") == run.npos)
    return true;
  return run.size() == 2;
}

}  // namespace orchestrator
