// Sums, products, powers and numbers of the grammar.
#include <algorithm>
#include <array>
#include <string>

#include "formulas/grammar.hpp"
#include "formulas/literal.hpp"
#include "text.hpp"

namespace orchestrator {

using enum TokenKind;

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// Whether a / b is below one, for runs of digits.
bool is_below(std::string_view a, std::string_view b) {
  if (!all_digits(a) || !all_digits(b)) return false;
  while (a.starts_with('0')) a.remove_prefix(1);
  while (b.starts_with('0')) b.remove_prefix(1);
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// The number that names a base in words; 0 for another word.
std::uint64_t base_named(std::string_view word) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
       "thirteen", "fourteen", "fifteen", "sixteen"});
  const auto found = std::find(kNames.begin(), kNames.end(), lowered(word));
  return found == kNames.end() ? 0 : static_cast<std::uint64_t>(found - kNames.begin()) + 2;
}

}  // namespace

NodeId Grammar::sum() {
  const std::size_t mark = builder_.mark();
  if (now().is(minus) && ahead(1).is(minus)) return fail();  // a dash, or a sign too many
  for (;;) {
    const TokenKind sign = now().kind;
    const bool signs = sign == plus || sign == minus || sign == plus_minus || sign == minus_plus;
    if (signs) ++at_;
    if (!signs && builder_.waiting_since(mark) > 0) break;
    const NodeId term = product();
    if (sign == minus) {
      builder_.push(builder_.make(Op::negate, {term}));
    } else if (sign == plus_minus || sign == minus_plus) {
      builder_.push(builder_.make(sign == plus_minus ? Op::plus_minus : Op::minus_plus, {term}));
    } else {
      builder_.push(term);
    }
    if (failed()) break;
  }
  return builder_.gather_several(Op::add, mark);
}

NodeId Grammar::product() {
  const std::size_t mark = builder_.mark();
  const std::size_t begin = builder_.size();  // first node of the product
  NodeId numerator = 0, denominator = 0;
  bool after_slash = false, after_bar = false;
  builder_.push(signed_factor());
  for (;;) {
    const bool cross = now().is(times) && now().detail == kCross && !vectors_.empty();
    if (accept(times)) {
      const std::size_t right = builder_.mark();
      builder_.push(signed_factor());
      // \vec a \times 2\vec b
      while (cross && starts_factor() && !now().is(numeral) && !now().is(bar))
        builder_.push(factor());
      if (cross) builder_.push(builder_.gather_several(Op::multiply, right));
      if (cross && vectors_.size() > 1) cross_last(mark, begin);
      after_slash = false;
    } else if (accept(slash)) {
      if (matrices_.size() > 1) keep_order_of_matrices(mark, begin);
      numerator = builder_.gather_several(Op::multiply, mark);
      denominator = signed_factor();
      builder_.push(builder_.make(Op::divide, {numerator, denominator}));
      after_slash = true;
    } else if (starts_factor()) {
      // Numbers stand side by side only as 3\frac{1}{2}, which number() has read.
      const bool beside = previous() == numeral || previous() == symbol || previous() == constant;
      if ((now().is(numeral) && beside) || previous() == percent || previous() == degree)
        return fail();
      if (after_slash && !failed() &&
          (builder_.node(denominator).op != Op::number || has_symbol(begin, numerator)))
        return fail();
      // |a|b|c| is either of two things.
      const bool opens_bar = now().is(bar);
      if (opens_bar && after_bar && previous() != bar) return fail();
      after_bar = after_bar || previous() == bar;
      builder_.push(factor());
      after_slash = false;
    } else {
      if (matrices_.size() > 1) keep_order_of_matrices(mark, begin);
      return builder_.gather_several(Op::multiply, mark);
    }
  }
}

namespace {

// Whether one of the nodes is in a tree whose nodes are those from `from` to `root`.
bool any_within(const std::vector<NodeId>& nodes, std::size_t from, NodeId root) {
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](NodeId node) { return node >= from && node <= root; });
}

}  // namespace

// The last two factors of a product, if both hold vectors, become their cross product.
void Grammar::cross_last(std::size_t mark, std::size_t begin) {
  std::vector<NodeId>& waiting = builder_.waiting();
  const std::size_t count = builder_.waiting_since(mark);
  if (failed() || count < 2) return;
  const NodeId left = waiting[waiting.size() - 2], right = waiting.back();
  const std::size_t from = count > 2 ? waiting[waiting.size() - 3] + std::size_t{1} : begin;
  if (!any_within(vectors_, from, left) || !any_within(vectors_, left + std::size_t{1}, right))
    return;
  builder_.push(builder_.apply("\\times", waiting.size() - 2));
}

// Factors that hold matrices of different names become one product that does not commute.
void Grammar::keep_order_of_matrices(std::size_t mark, std::size_t begin) {
  if (failed()) return;
  const auto spelled = [&](NodeId node) {
    return std::string_view(builder_.expression().names[builder_.node(node).index]);
  };
  std::vector<NodeId>& waiting = builder_.waiting();
  std::vector<NodeId> ordered, others;
  std::string_view first;
  bool differ = false;
  std::size_t from = begin;
  for (std::size_t i = mark; i < waiting.size(); ++i) {
    bool holds = false;
    for (const NodeId node : matrices_) {
      if (node < from || node > waiting[i]) continue;
      holds = true;
      if (first.empty()) first = spelled(node);
      differ = differ || spelled(node) != first;
    }
    (holds ? ordered : others).push_back(waiting[i]);
    from = waiting[i] + std::size_t{1};
  }
  if (ordered.size() < 2 || !differ) return;
  waiting.resize(mark);
  for (const NodeId id : others) builder_.push(id);
  const std::size_t start = builder_.mark();
  for (const NodeId id : ordered) builder_.push(id);
  builder_.push(builder_.apply("\\mathbf", start));
}

bool Grammar::has_symbol(std::size_t from, NodeId to) const {
  for (std::size_t id = from; id <= to; ++id) {
    const Op op = builder_.node(static_cast<NodeId>(id)).op;
    if (op == Op::symbol || op == Op::apply) return true;
  }
  return false;
}

bool Grammar::starts_factor() const {
  switch (now().kind) {
    case numeral:
    case symbol:
    case constant:
    case TokenKind::function:
    case call:
    case TokenKind::root:
    case TokenKind::fraction:
    case binomial:
    case matrix_begin:
    case brace_open:
    case group_open:
    case bar_open:
    case floor_open:
    case ceiling_open:
      return true;
    case paren_open:
      return !ahead(1).is(modulo);
    case bracket_open:
      return !context_.interval_tail;
    case bar:
    case norm:
      return context_.bar != now().kind && !context_.separators;
    default:
      return false;
  }
}

NodeId Grammar::signed_factor() {
  if (!now().is(minus) && !now().is(plus)) return factor();
  const Level level(*this);
  const bool negative = now().is(minus);
  if (failed()) return fail();
  ++at_;
  const NodeId inner = signed_factor();
  return negative ? builder_.make(Op::negate, {inner}) : inner;
}

NodeId Grammar::factor() {
  NodeId node = operand();
  for (;;) {
    if (accept(factorial)) {
      node = builder_.make(Op::factorial, {node});
    } else if (accept(double_factorial)) {
      node = builder_.make(Op::double_factorial, {node});
    } else if (accept(percent)) {
      node = builder_.make(Op::divide, {node, builder_.number(100)});
    } else if (accept(degree)) {
      if (!angle_) continue;
      const NodeId half_turns = builder_.make(Op::multiply, {node, builder_.leaf(Op::pi)});
      node = builder_.make(Op::divide, {half_turns, builder_.number(180)});
    } else if (accept(power)) {
      node = builder_.make(Op::power, {node, exponent()});
    } else {
      return node;
    }
    if (failed()) return fail();
  }
}

// Powers of powers are read from the right.
NodeId Grammar::exponent() {
  const Level level(*this);
  if (failed()) return fail();
  if (accept(minus)) return builder_.make(Op::negate, {exponent()});
  if (accept(plus)) return exponent();
  const NodeId node = now().is(brace_open) ? argument(false)
                      : now().is(numeral)  ? number(false)
                                           : operand();
  if (!accept(power)) return node;
  return builder_.make(Op::power, {node, exponent()});
}

NodeId Grammar::numeral_node(std::string_view written) {
  if (all_digits(written) && written.size() < 3) {
    const auto tens = static_cast<std::uint64_t>(written.size() == 2 ? written[0] - '0' : 0);
    return builder_.number(10 * tens + static_cast<std::uint64_t>(written.back() - '0'));
  }
  if (auto value = numeral_value(written)) return builder_.number(std::move(*value));
  return fail();
}

NodeId Grammar::number(bool with_fraction) {
  if (!now().script.empty()) return based_number(tokens_[at_++]);
  const std::string_view written = with_fraction ? numeral_with_commas() : tokens_[at_++].text;
  const NodeId whole = numeral_node(written);
  if (!with_fraction || written.find('.') != written.npos) return whole;
  const Ahead next = fraction_ahead();
  if (next == Ahead::improper_fraction) return fail();  // 3\frac{4}{2}: a product or a slip
  if (next != Ahead::proper_fraction) return whole;
  NodeId part = 0;
  if (now().is(numeral)) {
    const NodeId numerator = numeral_node(now().text);
    part = builder_.make(Op::divide, {numerator, numeral_node(ahead(2).text)});
    if (!failed()) at_ += 3;
  } else {
    ++at_;
    part = fraction();
  }
  return builder_.make(Op::add, {whole, part});
}

// What follows a whole number: the rest of a mixed fraction is "1/2" or \frac of digits, below one,
// with nothing after it that would take a part of it.
Grammar::Ahead Grammar::fraction_ahead() const {
  const auto compared = [](std::string_view numerator, std::string_view denominator) {
    return is_below(numerator, denominator) ? Ahead::proper_fraction : Ahead::improper_fraction;
  };
  if (now().is(numeral)) {
    const bool plain = now().spaced && now().script.empty() && ahead(1).is(slash) &&
                       ahead(2).is(numeral) && ahead(2).script.empty();
    return plain ? compared(now().text, ahead(2).text) : Ahead::no_fraction;
  }
  if (!now().is(TokenKind::fraction)) return Ahead::no_fraction;
  std::array<std::string_view, 2> parts;
  std::size_t by = 1, cut = 0;  // `cut`: digits of the token ahead that are taken
  for (std::string_view& part : parts) {
    if (ahead(by).is(brace_open)) {
      if (!ahead(by + 1).is(numeral) || !ahead(by + 2).is(brace_close)) return Ahead::no_fraction;
      part = ahead(by + 1).text;
      by += 3;
    } else if (ahead(by).is(numeral) && cut < ahead(by).text.size()) {
      part = ahead(by).text.substr(cut, 1);
      if (++cut == ahead(by).text.size()) ++by, cut = 0;
    } else {
      return Ahead::no_fraction;
    }
  }
  return cut == 0 ? compared(parts[0], parts[1]) : Ahead::no_fraction;
}

// 1,234,567.8 outside of brackets: groups of three to the end of a chain of tight commas.
std::string_view Grammar::numeral_with_commas() {
  const std::string_view first = tokens_[at_++].text;
  if (!context_.grouped_commas || first.size() > 3 || first[0] == '0' || !all_digits(first))
    return first;
  const auto tight = [&](std::size_t by) {
    return ahead(by).is(comma) && !ahead(by).spaced && ahead(by + 1).is(numeral) &&
           !ahead(by + 1).spaced && ahead(by + 1).script.empty();
  };
  std::size_t by = 0;
  for (; tight(by) && by < kMaxDigits; by += 2) {
    const std::string_view group = ahead(by + 1).text;
    if (!all_digits(group.substr(0, 3)) || group.size() < 3 || is_digit(char_at(group, 3)))
      return first;
    if (group.size() > 3) {  // decimals: the last group
      by += 2;
      break;
    }
  }
  if (by == 0 || tight(by)) return first;
  const std::string_view last = ahead(by - 1).text;
  at_ += by;
  return {first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data())};
}

// 204_5 is kept as written, base(204, 5): its value is another number's digits.
NodeId Grammar::based_number(const Token& digits) {
  std::string script;
  for (const char c : digits.script) {
    if (!is_space(c)) script += c;
  }
  for (const std::string_view command : {"\\text{", "\\mathrm{", "\\textrm{"}) {
    if (script.starts_with(command) && script.ends_with('}'))
      script = script.substr(command.size(), script.size() - command.size() - 1);
  }
  const std::size_t mark = builder_.mark();
  builder_.push(numeral_node(digits.text));
  if (all_digits(script)) {
    builder_.push(numeral_node(script));
  } else if (const std::uint64_t base = base_named(script)) {
    builder_.push(builder_.number(base));
  } else if (script.size() == 1 && is_alpha(script[0])) {
    builder_.push(builder_.named(Op::symbol, script));
  } else {
    return fail();
  }
  return builder_.apply("base", mark);
}

}  // namespace orchestrator
