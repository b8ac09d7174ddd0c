#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formulas/expression.hpp"
#include "formulas/fingerprint.hpp"
#include "formulas/parser.hpp"

namespace orchestrator {
namespace {

struct Reading {
  const char* text;
  const char* formula;
};

std::string read(std::string_view text) {
  const auto tree = parse(text);
  return tree ? format(*tree) : "no formula";
}

void expect_readings(std::initializer_list<Reading> readings) {
  for (const auto& [text, formula] : readings) EXPECT_EQ(read(text), formula) << text;
}

void expect_no_formula(std::initializer_list<const char*> texts) {
  for (const char* text : texts) EXPECT_EQ(read(text), "no formula") << text;
}

std::string repeated(std::string_view unit, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += unit;
  return out;
}

TEST(Parser, ReadsNumbersExactly) {
  expect_readings({{"42", "42"},
                   {".5", "1/2"},
                   {"5.", "5"},
                   {"1e-3", "1/1000"},
                   {"1.5E3", "1500"},
                   {"1,234", "1234"},
                   {"1,234,567.5", "2469135/2"},
                   {"1{,}234", "1234"},
                   {"1\\,234", "1234"},
                   {"1 234", "1234"},
                   {"11,\\! 111,\\! 111", "11111111"},
                   {"50%", "50/100"},
                   {"20 \\%", "20/100"},
                   {"\\$16,386.20", "81931/5"},
                   {"€5", "5"},
                   {"90^\\circ", "90"},
                   {"90^{\\circ}", "90"},
                   {"90°", "90"},
                   {"-\\infty", "-inf"}});
}

TEST(Parser, ReadsRepeatingDecimalsAsFractions) {
  expect_readings({{"0.\\overline{3}", "1/3"},
                   {"0.1\\overline{6}", "1/6"},
                   {"0.\\bar{3}", "1/3"},
                   {"0.(3)", "1/3"},
                   {"0.\\dot{3}", "1/3"},
                   {"0.\\dot{1}4285\\dot{7}", "1/7"},
                   {"2.5(3)", "(5/2)*3"}});
}

TEST(Parser, TellsThousandsFromEntries) {
  expect_readings({{"(1,234)", "(1, 234)"},
                   {"1, 234", "1, 234"},
                   {"1,2", "1, 2"},
                   {"12,345,67", "12, 345, 67"},
                   {"0,123", "0, 123"},
                   {"\\frac{1,234}{5}", "1234/5"},
                   {"\\{1,200\\}", "{1, 200}"}});
}

TEST(Parser, AddsMixedFractions) {
  expect_readings({{"3\\frac{1}{2}", "3 + 1/2"},
                   {"3\\frac12", "3 + 1/2"},
                   {"3 1/2", "3 + 1/2"},
                   {"3½", "3 + 1/2"},
                   {"-3 1/2", "-(3 + 1/2)"},
                   {"2\\frac{3}{2}", "no formula"},  // a product, or a slip
                   {"2\\frac{x}{3}", "2*(x/3)"},
                   {"3 125/1000", "3 + 125/1000"}});
}

TEST(Parser, KeepsNumbersInOtherBasesApart) {
  expect_readings({{"204_5", "base(204, 5)"},
                   {"204_{5}", "base(204, 5)"},
                   {"204_{\\text{five}}", "base(204, 5)"},
                   {"1011_2", "base(1011, 2)"}});
}

TEST(Parser, ReadsFractionsAndRoots) {
  expect_readings({{"\\frac{1}{2}", "1/2"},
                   {"\\dfrac12", "1/2"},
                   {"\\tfrac1{72}", "1/72"},
                   {"\\cfrac{1}2", "1/2"},
                   {"\\frac 3 4", "3/4"},
                   {"\\frac94\\pi", "(9/4)*pi"},
                   {"\\frac\\pi4", "pi/4"},
                   {"{a \\over b}", "a/b"},
                   {"a+1 \\over b", "(a + 1)/b"},
                   {"\\sqrt{8}", "sqrt(8)"},
                   {"\\sqrt3", "sqrt(3)"},
                   {"\\sqrt 2x", "sqrt(2)*x"},
                   {"\\sqrt[3]{x}^2", "root(x, 3)^2"},
                   {"√2/2", "sqrt(2)/2"},
                   {"sqrt(2)/2", "sqrt(2)/2"},
                   {"sqrt2", "sqrt(2)"}});
}

TEST(Parser, ReadsOperatorsInTheirOrder) {
  expect_readings({{"x^2+2x+1", "x^2 + 2*x + 1"},
                   {"x**2 + 2*x + 1", "x^2 + 2*x + 1"},
                   {"x²+2x³", "x^2 + 2*x^3"},
                   {"2^3^2", "2^(3^2)"},
                   {"2^{10}", "2^10"},
                   {"2^(1/2)", "2^(1/2)"},
                   {"x^-1", "x^(-1)"},
                   {"-x^2", "-x^2"},
                   {"x^{2y}", "x^(2*y)"},
                   {"a-b-c", "a - b - c"},
                   {"a/b/c", "a/b/c"},
                   {"a-(b-c)", "a - (b - c)"},
                   {"2 \\cdot 3 \\times 4 \\ast 5", "2*3*4*5"},
                   {"6 ÷ 2", "6/2"},
                   {"6 \\div 2", "6/2"},
                   {"3 · x − 1", "3*x - 1"},
                   {"2*-3", "2*(-3)"},
                   {"2(x+1)", "2*(x + 1)"},
                   {"(r+5)(r+5)", "(r + 5)*(r + 5)"},
                   {"[2(x+1)+3]y", "(2*(x + 1) + 3)*y"},
                   {"1 \\pm \\sqrt{19}", "1 ± sqrt(19)"},
                   {"\\mp 2", "∓2"},
                   {"17 \\bmod 5", "17 mod 5"},
                   {"1/2x", "(1/2)*x"}});
}

TEST(Parser, ReadsNames) {
  expect_readings({{"xy", "x*y"},
                   {"4ac", "4*a*c"},
                   {"AB", "A*B"},
                   {"x_1", "x_1"},
                   {"x_{12}", "x_12"},
                   {"a_{n+1}", "a_{n+1}"},
                   {"v_{\\text{max}}", "v_max"},
                   {"f'", "f'"},
                   {"y''", "y''"},
                   {"x^\\prime", "x'"},
                   {"\\theta", "\\theta"},
                   {"α+π", "\\alpha + pi"},
                   {"\\hat{x}", "\\hat{x}"},
                   {"\\vec v", "\\vec{v}"},
                   {"\\mathbf{v}", "v"},
                   {"\\mathrm{E}*2", "E*2"},
                   {"\\overline{AB}", "\\bar{AB}"},
                   {"\\angle ABC", "\\angle{ABC}"},
                   {"2i", "2*i"},
                   {"e^{i\\pi}", "e^(i*pi)"},
                   {"\\text{e}", "e"},
                   {"\\textbf{A}", "A"},
                   {"\\text{(C)}", "C"},
                   {"A^T", "A^T"}});
}

TEST(Parser, ReadsFunctions) {
  expect_readings({{"\\sin x", "sin(x)"},
                   {"sin x", "sin(x)"},
                   {"sin(x)", "sin(x)"},
                   {"\\sin 2x", "sin(2*x)"},
                   {"\\sin(2x)", "sin(2*x)"},
                   {"2 \\sin b \\cos a", "2*sin(b)*cos(a)"},
                   {"\\sin^2 x", "sin(x)^2"},
                   {"\\sin^{-1} x", "arcsin(x)"},
                   {"\\tan^2(y)+1", "tan(y)^2 + 1"},
                   {"\\sinh x", "sinh(x)"},
                   {"\\sin x(1+\\cos x)", "sin(x)*(1 + cos(x))"},
                   {"\\ln 2/\\ln 3", "ln(2)/ln(3)"},
                   {"\\ln|x|", "ln(abs(x))"},
                   {"\\log_2 8", "log(8, 2)"},
                   {"\\log_28", "log(8, 2)"},
                   {"\\log_2 128", "log(128, 2)"},
                   {"\\log_{10}x", "log(x, 10)"},
                   {"\\lg x", "log(x)"},
                   {"\\max\\{1,2\\}", "max(1, 2)"},
                   {"\\gcd(12,18)", "gcd(12, 18)"},
                   {"\\operatorname{lcm}(2,3)", "lcm(2, 3)"},
                   {"\\exp(x)", "exp(x)"},
                   {"f(2x+1)", "f(2*x + 1)"},
                   {"f^{-1}(x)", "f^{-1}(x)"},
                   {"y'(x)", "y'(x)"},
                   {"C(n,k)", "C(n, k)"},
                   {"p(x)", "p(x)"},
                   {"2\\pi r(h+r)", "2*pi*r*(h + r)"},
                   {"a(b+c)", "a*(b + c)"},
                   {"5!", "5!"},
                   {"(n+1)!", "(n + 1)!"},
                   {"n!!", "n!!"},
                   {"5!=120", "5! = 120"},
                   {"\\binom{n}{k}", "binomial(n, k)"},
                   {"{n \\choose k}", "binomial(n, k)"}});
}

TEST(Parser, DegreesCountOnlyInTrigonometricFunctions) {
  expect_readings({{"\\sin 30^\\circ", "sin(30*pi/180)"},
                   {"\\cos(60°)", "cos(60*pi/180)"},
                   {"\\arctan(1) + 45^\\circ", "arctan(1) + 45"}});
}

TEST(Parser, DifferencesAreNoProducts) {
  expect_readings({{"\\frac{dy}{dx}", "dy/dx"},
                   {"\\frac{\\Delta y}{\\Delta x}", "\\Delta{y}/\\Delta{x}"},
                   {"\\frac{\\partial f}{\\partial x}", "\\partial{f}/\\partial{x}"},
                   {"\\Delta = b^2-4ac", "\\Delta = b^2 - 4*a*c"}});
}

TEST(Parser, ReadsBars) {
  expect_readings({{"|x|", "abs(x)"},
                   {"\\lvert x\\rvert", "abs(x)"},
                   {"\\left|x\\right|", "abs(x)"},
                   {"||x|-1|", "abs(abs(x) - 1)"},
                   {"\\left| 2|x| - 1 \\right|", "abs(2*abs(x) - 1)"},
                   {"|x||y|", "abs(x)*abs(y)"},
                   {"2|x|", "2*abs(x)"},
                   {"\\lfloor x/2 \\rfloor", "floor(x/2)"},
                   {"\\lceil x \\rceil", "ceil(x)"},
                   {"\\|v\\|", "norm(v)"}});
  expect_no_formula({"|a|b|c|", "|x", "x|"});
}

TEST(Parser, ReadsTuplesListsAndIntervals) {
  expect_readings(
      {{"(1,2)", "(1, 2)"},
       {"(1;2)", "(1, 2)"},
       {"\\langle 1,2,3\\rangle", "(1, 2, 3)"},
       {"<1,2>", "(1, 2)"},
       {"-2,1", "-2, 1"},
       {"1;2;3", "1, 2, 3"},
       {"3 and 4", "3, 4"},
       {"1, 2, and 3", "1, 2, 3"},
       {"12\\text{ and }13", "12, 13"},
       {"$21,16$ or $11$", "21, 16, 11"},
       {"(11,7)or(7,11)", "(11, 7), (7, 11)"},
       {"W(x)=1orW(x)=-1", "W(x) = 1 or W(x) = -1"},
       {"x=1, y=2", "x = 1, y = 2"},
       {"x = 1 \\text{ or } x = 2", "x = 1 or x = 2"},
       {"p=5,q=2;p=7,q=2", "(p = 5, q = 2), (p = 7, q = 2)"},
       {"p=5, q=2 \\quad \\text{and} \\quad p=7, q=2", "(p = 5, q = 2), (p = 7, q = 2)"},
       {"x_{1}=1,\\quadx_{2}=2", "x_1 = 1, x_2 = 2"},
       {"[0,1)", "[0, 1)"},
       {"(0,1]", "(0, 1]"},
       {"[0;1]", "[0, 1]"},
       {"]0,1[", "]0, 1["},
       {"[0,1[", "[0, 1)"},
       {"-[0,1)", "-[0, 1)"},
       {"(-\\infty, -3] \\cup [2, \\infty)", "(-inf, -3] ∪ [2, inf)"}});
}

TEST(Parser, ReadsSets) {
  expect_readings({{"\\{1,2\\}", "{1, 2}"},
                   {"{1,2}", "{1, 2}"},
                   {"\\left\\{1,2\\right\\}", "{1, 2}"},
                   {"\\{\\}", "{}"},
                   {"\\emptyset", "{}"},
                   {"∅", "{}"},
                   {"\\{x \\mid x > 0\\}", "{x | x > 0}"},
                   {"\\{x : |x| > 2\\}", "{x | abs(x) > 2}"},
                   {"\\{|x| | x \\ne 0\\}", "{abs(x) | x != 0}"},
                   {"\\{\\text{odd}, 1\\}", "{odd, 1}"},
                   {"A \\cap B \\cap C", "A ∩ B ∩ C"},
                   {"A \\setminus B", "A \\ B"},
                   {"x \\in \\mathbb{R}", "x ∈ \\mathbb{R}"},
                   {"\\mathbb{R} \\setminus \\{0\\}", "\\mathbb{R} \\ {0}"},
                   {"ℝ^+", "\\mathbb{R}^+"}});
}

TEST(Parser, ReadsMatrices) {
  expect_readings(
      {{"\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "[[1, 2], [3, 4]]"},
       {"\\begin{bmatrix}1\\\\2\\\\\\end{bmatrix}", "[[1], [2]]"},
       {"\\left[\\begin{array}{cc}1 & 2 \\\\[4pt] 3 & 4\\end{array}\\right]", "[[1, 2], [3, 4]]"},
       {"\\begin{vmatrix}a&b\\\\c&d\\end{vmatrix}", "abs([[a, b], [c, d]])"},
       {"[[1,2],[3,4]]", "[[1, 2], [3, 4]]"},
       {"2\\begin{pmatrix}x\\\\y\\end{pmatrix}+A", "2*[[x], [y]] + A"}});
  expect_no_formula({"\\begin{pmatrix}1&2\\\\3\\end{pmatrix}", "\\begin{pmatrix}1&2",
                     "\\begin{cases}1\\\\2\\end{cases}", "1 & 2"});
}

TEST(Parser, ReadsRelations) {
  expect_readings({{"x != 3", "x != 3"},
                   {"x \\neq 3", "x != 3"},
                   {"x \\not= 3", "x != 3"},
                   {"x \\leqslant 2", "x <= 2"},
                   {"x ≥ 5", "x >= 5"},
                   {"1 < x < 2", "1 < x < 2"},
                   {"x = 5+5+1 = 11", "x = 5 + 5 + 1 = 11"},
                   {"\\frac{1}{3} \\approx 0.333", "1/3 ≈ 333/1000"},
                   {"x \\equiv 3 \\pmod 5", "x ≡ 3 mod 5"},
                   {"x \\equiv 3 (\\bmod 5)", "x ≡ 3 mod 5"},
                   {"AB \\perp CD", "A*B ~ C*D"},
                   {"7:32", "7:32"},
                   {"S_1 : S_2 = 7:32", "S_1:S_2 = 7:32"},
                   {"(p,q)=(3,2)", "(p, q) = (3, 2)"},
                   {"x<1 \\text{ or } x>2", "x < 1 or x > 2"},
                   {"x>1 \\land x<2", "x > 1 and x < 2"},
                   {"x<1 \\lor x>2 \\land y>0", "x < 1 or x > 2 and y > 0"}});
}

TEST(Parser, TakesWrappingOff) {
  expect_readings({{"$x$", "x"},
                   {"\\( x \\)", "x"},
                   {"\\[ x \\].", "x"},
                   {"\\boxed{1,2}", "1, 2"},
                   {"x = \\boxed{5}", "x = 5"},
                   {"\\displaystyle \\frac12", "1/2"},
                   {"\\\\left( \\\\frac{4}{3}, -\\\\frac{1}{3} \\\\right)", "(4/3, -1/3)"},
                   {"\\\\begin{pmatrix}1\\\\\\\\2\\\\end{pmatrix}", "[[1], [2]]"},
                   {"\x01"
                    "e\x01",
                    "e"},
                   {"185\\", "185"}});
}

TEST(Parser, LeavesTextsAlone) {
  expect_no_formula({"", " ", "odd", "None", "The answer is 5", "\\text{odd}", "5\\text{ cm}",
                     "15\\mbox{ cm}^2", "\\text{no solution}", "sinx", "5 km", "125 miles",
                     "1, 2, \\ldots", "1 + ... + n", "1.2.3", "x, \\text{if } y"});
}

TEST(Parser, DeclinesWhatReadersDisagreeOn) {
  expect_no_formula({"a/bc", "x/2y", "\\sin x/2", "\\ln 2(x+1)", "2 3", "x2", "5%3", "1/(x+1)y"});
}

TEST(Parser, DeclinesBrokenFormulas) {
  expect_no_formula(
      {"x+",      "(1,2",    "1)",       "\\frac{1}", "\\frac12{",    "x^",    "x_",
       "=",       "()",      "{}",       "(1,,2)",    "\\sqrt",       "\\sin", "\\unknown x",
       "[1,2,3)", "\\{1,2)", "\\left(1", "x==",       "\\mathbb{xy}", "'",     "_1"});
}

TEST(Parser, DeclinesBytesThatAreNoText) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {"1\0"sv, "\0"sv, "x\xff"sv, "\xc0\xaf"sv, "\xed\xa0\x80"sv,
                                      "\xf4\x90\x80\x80"sv, "x+\xe2\x82"sv, "\x02 1"sv}) {
    EXPECT_FALSE(parse(text).has_value());
  }
}

TEST(Parser, NumbersBeyondTheLimitAreNoFormula) {
  EXPECT_TRUE(parse(std::string(kMaxDigits, '7')).has_value());
  EXPECT_FALSE(parse(std::string(kMaxDigits + 1, '7')).has_value());
  EXPECT_FALSE(parse("1e999999999999").has_value());
  EXPECT_FALSE(parse("0.\\overline{" + std::string(kMaxDigits + 1, '7') + "}").has_value());
}

TEST(Parser, KeepsTheLimitsOfATree) {
  EXPECT_TRUE(parse(repeated("(", 30) + "x" + repeated(")", 30)).has_value());
  EXPECT_FALSE(parse(repeated("(", 100) + "x" + repeated(")", 100)).has_value());
  EXPECT_TRUE(parse(repeated("x+", 1000) + "x").has_value());
  EXPECT_FALSE(parse(repeated("x+", kMaxNodes) + "x").has_value());
  EXPECT_FALSE(parse(repeated("x!", kMaxNodes)).has_value());
  EXPECT_FALSE(parse("x" + repeated("!", 300)).has_value());
}

TEST(Parser, HostileTextsAreDeclined) {
  for (const char* unit : {"(",         "{",       "[",      "-",   "|",   "\\sqrt{",
                           "\\frac{",   "\\frac1", "\\sin ", "x^",  "x_{", "\\text{",
                           "\\mathrm{", "\\left|", "\\not",  "\\{", "<",   "\\begin{pmatrix}",
                           "]",         "\\\\"}) {
    for (const std::size_t times : {100, 5'000, 1'000'000}) {
      EXPECT_FALSE(parse(repeated(unit, times)).has_value()) << unit << " " << times;
    }
  }
}

TEST(Parser, ChildrenComeBeforeTheirParents) {
  const auto tree = parse("\\frac{x^2+1}{\\sqrt{2}} + f(x, y)");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->root, tree->nodes.size() - 1);
  for (NodeId id = 0; id < tree->nodes.size(); ++id) {
    for (const NodeId child : tree->children_of(id)) EXPECT_LT(child, id);
  }
}

TEST(Parser, ProductsOfVectorsAndMatricesAreKeptAsTheyAreWritten) {
  const auto key = [](const char* text) { return fingerprint(*parse(text)).value_or("none"); };
  EXPECT_NE(key("\\vec a\\times\\vec b"), key("\\vec a\\cdot\\vec b"));
  EXPECT_NE(key("\\vec a\\times\\vec b"), key("\\vec b\\times\\vec a"));
  EXPECT_EQ(key("\\vec a\\cdot\\vec b"), key("\\vec b\\cdot\\vec a"));
  EXPECT_EQ(key("2\\vec a\\times\\vec b"), key("\\vec a\\times\\vec b\\cdot 2"));
  EXPECT_EQ(key("(\\vec a+\\vec b)\\times\\vec c"), key("(\\vec b+\\vec a)\\times\\vec c"));
  EXPECT_EQ(key("2\\times\\vec a"), key("2\\vec a"));
  EXPECT_EQ(key("a\\times b"), key("a\\cdot b"));
  EXPECT_NE(key("\\mathbf{A}\\mathbf{B}"), key("\\mathbf{B}\\mathbf{A}"));
  EXPECT_NE(key("\\mathbf{A}^2\\mathbf{B}"), key("\\mathbf{A}\\mathbf{B}\\mathbf{A}"));
  EXPECT_EQ(key("2\\mathbf{A}\\mathbf{B}"), key("\\mathbf{A}\\cdot 2\\mathbf{B}"));
  EXPECT_EQ(key("\\mathbf{A}\\mathbf{A}"), key("\\mathbf{A}^2"));
  EXPECT_EQ(key("\\mathbf{x}y"), key("yx"));
}

TEST(Parser, ACalculationModuloIsItsRemainderAndARemainderModuloAClass) {
  const auto key = [](const char* text) { return fingerprint(*parse(text)).value_or("none"); };
  EXPECT_EQ(key("10 \\bmod 7"), "n:3");
  EXPECT_EQ(key("4 \\bmod 7"), "m:[4 mod 7]");
  EXPECT_EQ(key("11 \\pmod 7"), "m:[4 mod 7]");
  EXPECT_EQ(key("(4 \\bmod 7) + 1"), "n:5");
  EXPECT_EQ(key("x \\equiv 3 \\pmod 5"), key("x = 8 \\pmod{5}"));
  EXPECT_NE(key("3 \\pmod 5"), key("3 \\pmod 7"));
}

}  // namespace
}  // namespace orchestrator
