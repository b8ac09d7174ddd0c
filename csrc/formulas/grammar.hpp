// The grammar of formulas: recursive descent over tokens, each read once.
//
//   formula    = entry {(";" | "," | "and" | "or") entry}
//   entry      = conjoined {"\lor" conjoined}          conjoined = chain {"\land" chain}
//   chain      = proportion {relation proportion}      proportion = union {":" union}
//   union      = reduced {("\cup" | "\cap" | "\setminus") reduced}
//   reduced    = sum {"\bmod" product | "\pmod" argument}
//   sum        = [sign] product {sign product}         sign = "+" | "-" | "\pm" | "\mp"
//   product    = signed {["*" | "/"] signed}           signed = {sign} factor
//   factor     = operand {"!" | "!!" | "%" | "°" | "^" exponent}
//   operand    = number | name | name "(" ... ")" | function argument | bracketed | matrix
//
// What the bare signs leave open is decided so:
//   - 1/2x is (1/2)x; a/bc and x/2y are no formula, for readers disagree;
//   - \sin 2x \cos x is sin(2x) cos(x): an argument without brackets ends at the next function,
//     bracket, fraction, root or sign; \sin x/2 is no formula, \ln 2/\ln 3 and \sin x / 2 are;
//   - \sin^{-1} and its like are the inverse functions; sin(x)^2 is sin(x) squared;
//   - a bar opens where an operand may begin, and otherwise closes the last open one; |a|b|c| is
//     no formula;
//   - f(x) is an application for f, g, F and other capitals, \phi, \varphi, \psi, \Gamma, \zeta, a
//     name with primes, and for h, p, q, r, s, u, v, y before a bracket with a single letter or
//     number in it; the bracket must follow directly. Any other a(b + c) is a product;
//   - 3\frac{1}{2} and "3 1/2" are 3 + 1/2; other numbers side by side are no formula;
//   - 90^\circ is 90, but in the argument of a trigonometric function 90 pi/180;
//   - 1,234 is one number outside of brackets, and two entries inside them;
//   - \times between two vectors (bold, or under an arrow or a hat) is the cross product, \cdot and
//     nothing the commuting one; bold capitals side by side are matrices and keep their order;
//   - 3 \pmod 5, and 3 \bmod 5 where 3 is a remainder already, are classes of residues; 7 \bmod 5
//     is a calculation: 2;
//   - equations with "or" between them are alternatives, with "and" or a comma parts of one answer.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formulas/expression_builder.hpp"
#include "formulas/lexer.hpp"

namespace orchestrator {

class Grammar {
 public:
  // `tokens` ends with one of kind `end`. Digits of a numeral that is two arguments (\frac12) are
  // cut off it in place.
  explicit Grammar(std::vector<Token>& tokens);

  std::optional<Expression> formula();

 private:
  // What the brackets around the present place ask for.
  struct Context {
    bool grouped_commas = false;     // 1,234 is a number here
    bool interval_tail = false;      // after the comma of "[0, 1[": a bracket closes
    bool separators = false;         // in a set: ":" and "|" begin its condition
    TokenKind bar = TokenKind::end;  // the kind of bar that closes here
  };

  // Enters a level of nesting; fails beyond kMaxTreeDepth.
  class Level {
   public:
    explicit Level(Grammar& grammar) : grammar_(grammar) {
      if (++grammar_.level_ > kMaxTreeDepth) grammar_.fail();
    }
    ~Level() { --grammar_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Grammar& grammar_;
  };

  // Puts a context in force while it lives.
  class Within {
   public:
    Within(Grammar& grammar, Context context)
        : grammar_(grammar), outer_(std::exchange(grammar.context_, context)) {}
    ~Within() { grammar_.context_ = outer_; }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    Grammar& grammar_;
    Context outer_;
  };

  // Tokens.
  const Token& now() const { return ahead(0); }
  const Token& ahead(std::size_t by) const {
    return tokens_[at_ + by < tokens_.size() ? at_ + by : tokens_.size() - 1];
  }
  TokenKind previous() const { return at_ == 0 ? TokenKind::end : tokens_[at_ - 1].kind; }
  bool accept(TokenKind kind) {
    if (!now().is(kind)) return false;
    ++at_;
    return true;
  }
  void expect(TokenKind kind);
  NodeId fail();  // from here on there is nothing but `end`
  bool failed() const { return !builder_.intact(); }

  // Statements: parser.cpp.
  NodeId listing();
  NodeId entry();
  NodeId conjoined();
  NodeId chain();
  NodeId proportion();
  NodeId set_operation();
  NodeId reduced();
  NodeId arranged(std::span<const NodeId> entries, std::span<const TokenKind> separators);
  std::optional<NodeId> alternatives(std::span<const NodeId> entries,
                                     std::span<const TokenKind> separators);
  std::optional<Op> condition_joint(std::span<const NodeId> entries,
                                    std::span<const TokenKind> separators) const;
  NodeId listed(Op op, std::span<const NodeId> entries);
  bool is_relation(NodeId id) const;
  bool is_condition(NodeId id) const;

  // Arithmetic: arithmetic_grammar.cpp.
  NodeId sum();
  NodeId product();
  NodeId signed_factor();
  NodeId factor();
  NodeId exponent();
  bool starts_factor() const;
  bool has_symbol(std::size_t from, NodeId to) const;
  void cross_last(std::size_t mark, std::size_t begin);
  void keep_order_of_matrices(std::size_t mark, std::size_t begin);
  bool is_remainder(NodeId value, NodeId modulus) const;
  NodeId number(bool with_fraction);
  NodeId numeral_node(std::string_view written);
  NodeId based_number(const Token& digits);
  std::string_view numeral_with_commas();
  enum class Ahead : std::uint8_t { no_fraction, proper_fraction, improper_fraction };
  Ahead fraction_ahead() const;

  // Operands: operand_grammar.cpp.
  NodeId operand();
  NodeId word();
  NodeId name();
  bool is_applied(const Token& token) const;
  NodeId applied(std::string name);
  NodeId function();
  NodeId function_of(Function which, std::optional<NodeId> base);
  NodeId bare_argument();
  NodeId argument(bool one_digit);
  NodeId stacked(NodeId above);
  NodeId binomial_coefficient();
  NodeId fraction();
  NodeId root(std::uint8_t degree);
  void entries_until(TokenKind close);
  NodeId bracketed(TokenKind open);
  NodeId rows_of(std::size_t mark);
  NodeId braces(bool only_groups);
  NodeId set();
  NodeId condition_of(NodeId element, TokenKind close);
  NodeId angled();
  NodeId bars(TokenKind open);
  NodeId matrix();

  std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  std::size_t level_ = 0;
  Context context_{.grouped_commas = true};
  ExpressionBuilder builder_;
  std::vector<NodeId> vectors_;   // symbols that are bold, or under an arrow or a hat
  std::vector<NodeId> matrices_;  // bold capitals
  bool angle_ = false;            // in the argument of a trigonometric function
};

}  // namespace orchestrator
