#include "formulas/expression.hpp"

#include <array>

namespace orchestrator {
namespace {

constexpr std::array<std::string_view, 35> kFunctionNames{
    "sin",     "cos",     "tan",     "cot",  "sec",  "csc",  "arcsin", "arccos",   "arctan",
    "arccot",  "arcsec",  "arccsc",  "sinh", "cosh", "tanh", "coth",   "sech",     "csch",
    "arcsinh", "arccosh", "arctanh", "ln",   "log",  "exp",  "gcd",    "lcm",      "min",
    "max",     "sign",    "re",      "im",   "conj", "arg",  "det",    "transpose"};
static_assert(static_cast<std::size_t>(Function::transpose) == 34);

constexpr std::array<std::string_view, 12> kRelationSigns{
    "=", "!=", "<", "<=", ">", ">=", "≈", "≡", "∈", "∉", "⊂", "~"};
static_assert(static_cast<std::size_t>(Relation::similar) + 1 == kRelationSigns.size());

// How tightly a node's written form holds together; a child looser than its place asks is
// bracketed.
enum Binding {
  kListing,
  kOr,
  kAnd,
  kRelating,
  kProportion,
  kUniting,
  kReducing,  // a mod m
  kSumming,
  kMultiplying,
  kRaising,
  kTight
};

class Writer {
 public:
  explicit Writer(const Expression& expression) : expression_(expression) {}

  void write(NodeId id, Binding least) {
    const Node& node = expression_.nodes[id];
    const bool bracket = binding_of(node) < least;
    if (bracket) out_ += '(';
    write_node(id, node);
    if (bracket) out_ += ')';
  }

  std::string take() { return std::move(out_); }

 private:
  Binding binding_of(const Node& node) const {
    switch (node.op) {
      case Op::number: {
        const Rational& value = expression_.numbers[node.index];
        if (value.negative()) return kSumming;
        return value.denominator() == Natural{1} ? kTight : kMultiplying;
      }
      case Op::add:
      case Op::negate:
      case Op::plus_minus:
      case Op::minus_plus:
        return kSumming;
      case Op::multiply:
      case Op::divide:
        return kMultiplying;
      case Op::power:
        return kRaising;
      case Op::modulo:
        return kReducing;
      case Op::set_union:
      case Op::set_intersection:
      case Op::set_difference:
        return kUniting;
      case Op::ratio:
        return kProportion;
      case Op::relation:
        return kRelating;
      case Op::logical_and:
        return kAnd;
      case Op::logical_or:
        return kOr;
      case Op::list:
        return kListing;
      default:
        return kTight;
    }
  }

  void write_node(NodeId id, const Node& node) {
    const auto children = expression_.children_of(id);
    switch (node.op) {
      case Op::number:
        out_ += expression_.numbers[node.index].str();
        return;
      case Op::symbol:
      case Op::word:
        out_ += expression_.names[node.index];
        return;
      case Op::pi:
        out_ += "pi";
        return;
      case Op::e:
        out_ += 'e';
        return;
      case Op::imaginary:
        out_ += 'i';
        return;
      case Op::infinity:
        out_ += "inf";
        return;
      case Op::empty_set:
        out_ += "{}";
        return;
      case Op::add:
        return write_sum(children);
      case Op::multiply:
        return write_joined(children, "*", kRaising, kRaising);
      case Op::divide:
        return write_joined(children, "/", kMultiplying, kRaising);
      case Op::negate:
        return write_signed("-", children[0]);
      case Op::plus_minus:
        return write_signed("±", children[0]);
      case Op::minus_plus:
        return write_signed("∓", children[0]);
      case Op::power:
        return write_joined(children, "^", kTight, kTight);
      case Op::root:
        return write_root(children);
      case Op::factorial:
      case Op::double_factorial:
        write(children[0], kTight);
        out_ += node.op == Op::factorial ? "!" : "!!";
        return;
      case Op::absolute:
        return write_call("abs", children);
      case Op::binomial:
        return write_call("binomial", children);
      case Op::floor:
        return write_call("floor", children);
      case Op::ceiling:
        return write_call("ceil", children);
      case Op::modulo:
        return write_joined(children, " mod ", kReducing, kSumming);
      case Op::function:
        return write_call(kFunctionNames[node.index], children);
      case Op::apply:
        return write_call(expression_.names[node.index], children);
      case Op::tuple:
        return write_between("(", children, ")");
      case Op::list:
        return write_joined(children, ", ", kOr, kOr);
      case Op::set:
        return write_between("{", children, "}");
      case Op::set_builder:
        out_ += '{';
        write_joined(children, " | ", kOr, kOr);
        out_ += '}';
        return;
      case Op::interval:
        // An open interval is written outwards, so that it is not taken for a tuple.
        return write_between(node.index & 1 ? "[" : (node.index & 2 ? "(" : "]"), children,
                             node.index & 2 ? "]" : (node.index & 1 ? ")" : "["));
      case Op::matrix:
        return write_matrix(children, node.index);
      case Op::ratio:
        return write_joined(children, ":", kUniting, kUniting);
      case Op::set_union:
        return write_joined(children, " ∪ ", kReducing, kReducing);
      case Op::set_intersection:
        return write_joined(children, " ∩ ", kReducing, kReducing);
      case Op::set_difference:
        return write_joined(children, " \\ ", kReducing, kReducing);
      case Op::relation:
        return write_chain(children, expression_.chains[node.index]);
      case Op::logical_and:
        return write_joined(children, " and ", kRelating, kRelating);
      case Op::logical_or:
        return write_joined(children, " or ", kAnd, kAnd);
    }
  }

  void write_sum(std::span<const NodeId> children) {
    for (std::size_t i = 0; i < children.size(); ++i) {
      const Node& term = expression_.nodes[children[i]];
      if (i > 0) {
        const bool sign =
            term.op == Op::negate || term.op == Op::plus_minus || term.op == Op::minus_plus;
        out_ += sign ? " " : " + ";
        if (sign) {
          out_ += term.op == Op::negate ? "-" : term.op == Op::plus_minus ? "±" : "∓";
          out_ += ' ';
          write(expression_.children_of(children[i])[0], kMultiplying);
          continue;
        }
      }
      write(children[i], i == 0 && term.op != Op::add ? kSumming : kMultiplying);
    }
  }

  void write_signed(std::string_view sign, NodeId child) {
    out_ += sign;
    write(child, kMultiplying);
  }

  void write_joined(std::span<const NodeId> children, std::string_view sign, Binding first,
                    Binding others) {
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (i > 0) out_ += sign;
      write(children[i], i == 0 ? first : others);
    }
  }

  void write_between(std::string_view open, std::span<const NodeId> children,
                     std::string_view close) {
    out_ += open;
    write_joined(children, ", ", kOr, kOr);
    out_ += close;
  }

  void write_call(std::string_view name, std::span<const NodeId> arguments) {
    out_ += name;
    write_between("(", arguments, ")");
  }

  void write_root(std::span<const NodeId> children) {
    const Node& index = expression_.nodes[children[1]];
    const bool square = index.op == Op::number && expression_.numbers[index.index].str() == "2";
    write_call(square ? "sqrt" : "root", square ? children.first(1) : children);
  }

  void write_matrix(std::span<const NodeId> entries, std::size_t columns) {
    out_ += '[';
    for (std::size_t at = 0; at < entries.size(); at += columns) {
      if (at > 0) out_ += ", ";
      write_between("[", entries.subspan(at, columns), "]");
    }
    out_ += ']';
  }

  void write_chain(std::span<const NodeId> sides, const std::vector<Relation>& chain) {
    for (std::size_t i = 0; i < sides.size(); ++i) {
      if (i > 0) {
        out_ += ' ';
        out_ += kRelationSigns[static_cast<std::size_t>(chain[i - 1])];
        out_ += ' ';
      }
      write(sides[i], kProportion);
    }
  }

  const Expression& expression_;
  std::string out_;
};

}  // namespace

std::string format(const Expression& expression) {
  Writer writer(expression);
  writer.write(expression.root, kListing);
  return writer.take();
}

}  // namespace orchestrator
