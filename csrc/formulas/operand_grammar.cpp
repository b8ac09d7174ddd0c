// Operands of the grammar: names, functions, brackets, sets and matrices.
#include <algorithm>
#include <array>
#include <string>

#include "answers/latex.hpp"
#include "formulas/grammar.hpp"
#include "text.hpp"

namespace orchestrator {

using enum TokenKind;

namespace {

constexpr std::uint32_t kClosedLow = 1, kClosedHigh = 2;

// What stands in a subscript or under an accent, without what only lays it out: spaces, \text{...}.
std::string compact(std::string_view written) {
  std::string out, groups;  // `groups`: an open brace that was kept ('{') or left out (' ') each
  bool leave_out = false;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const char c = written[i];
    if (c == kTextMark || is_space(c) || c == '~') continue;
    if (c == '{') {
      groups += leave_out ? ' ' : '{';
      if (!std::exchange(leave_out, false)) out += c;
    } else if (c == '}') {
      if (groups.empty() || groups.back() == '{') out += c;
      if (!groups.empty()) groups.pop_back();
    } else if (c == '\\' && !is_alpha(char_at(written, i + 1))) {
      ++i;  // \, and other spaces
    } else if (c == '\\') {
      std::size_t end = i + 1;
      while (is_alpha(char_at(written, end))) ++end;
      const Notation* known = command_notation(written.substr(i + 1, end - i - 1));
      leave_out = known != nullptr && known->kind == styled;
      if (!leave_out) out.append(written.substr(i, end - i));
      if (!leave_out && is_space(char_at(written, end))) out += ' ';
      i = end - 1;
    } else {
      out += c;
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

void append_script(std::string& name, std::string_view script) {
  if (script.empty()) return;
  const std::string below = compact(script);
  const bool plain = std::all_of(below.begin(), below.end(), is_alnum);
  name += '_';
  name += plain ? below : '{' + below + '}';
}

std::string spelling(const Token& token) {
  std::string name;
  if (token.accent.empty()) {
    name = token.text;
  } else if (token.accent == "\\") {
    name.append("\\").append(token.text);
  } else {
    name.append("\\").append(token.accent).append("{").append(compact(token.text)).append("}");
  }
  append_script(name, token.script);
  name.append(token.primes, '\'');
  return name;
}

std::optional<Function> inverse_of(Function which) {
  static constexpr auto kSteps =
      static_cast<int>(Function::arcsin) - static_cast<int>(Function::sin);
  static_assert(static_cast<int>(Function::arccsc) - static_cast<int>(Function::csc) == kSteps);
  if (which <= Function::csc) return static_cast<Function>(static_cast<int>(which) + kSteps);
  if (which == Function::sinh) return Function::arcsinh;
  if (which == Function::cosh) return Function::arccosh;
  if (which == Function::tanh) return Function::arctanh;
  return std::nullopt;
}

constexpr bool takes_several(Function which) {
  return which == Function::gcd || which == Function::lcm || which == Function::min ||
         which == Function::max;
}

template <std::size_t N>
bool is_any(TokenKind kind, const std::array<TokenKind, N>& kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

}  // namespace

NodeId Grammar::operand() {
  const Level level(*this);
  if (failed()) return fail();
  const Token& token = now();
  switch (token.kind) {
    case numeral:
      return number(true);
    case symbol:
      return name();
    case constant:
      ++at_;
      return builder_.leaf(static_cast<Op>(token.detail));
    case TokenKind::word:
      return word();
    case set_name: {
      ++at_;
      std::string said = "\\mathbb{" + std::string(token.text) + "}";
      if (token.script.starts_with('^')) {
        said.append("^").append(1, token.script.find('+') != token.script.npos   ? '+'
                                   : token.script.find('-') != token.script.npos ? '-'
                                                                                 : '*');
      } else {
        append_script(said, token.script);
      }
      return builder_.named(Op::word, std::move(said));
    }
    case TokenKind::function:
      return function();
    case call:
      ++at_;
      if (!now().is(paren_open) && !now().is(brace_open)) return fail();
      return builder_.make(static_cast<Op>(token.detail), {argument(false)});
    case TokenKind::root:
      ++at_;
      return root(token.detail);
    case TokenKind::fraction:
      ++at_;
      return fraction();
    case binomial:
      ++at_;
      return binomial_coefficient();
    case paren_open:
    case bracket_open:
    case bracket_close:  // ]0, 1[
      return bracketed(token.kind);
    case brace_open:
    case group_open:
      return braces(token.kind == group_open);
    case set_open:
      return set();
    case angle_open:
      return angled();
    case relation:
      return static_cast<Relation>(token.detail) == Relation::less ? angled() : fail();
    case floor_open:
    case ceiling_open:
    case bar:
    case bar_open:
    case norm:
      return bars(token.kind);
    case matrix_begin:
      return matrix();
    default:
      return fail();
  }
}

// A word is an element by itself: \{\text{odd}, \text{even}\}, x = \text{odd}.
NodeId Grammar::word() {
  static constexpr std::array kBefore{end,  comma,        semicolon, paren_open, bracket_open,
                                      both, set_open,     relation,  brace_open, group_open,
                                      mid,  matrix_begin, ampersand, row_break,  either};
  static constexpr std::array kAfter{end,           comma,     semicolon,   paren_close, both,
                                     bracket_close, set_close, brace_close, either,      relation,
                                     ampersand,     row_break, matrix_end};
  const TokenKind before = previous();
  const Token& token = tokens_[at_++];
  if (failed() || !is_any(before, kBefore) || !is_any(now().kind, kAfter)) return fail();
  return builder_.named(Op::word, std::string(token.text));
}

NodeId Grammar::name() {
  const Token& token = tokens_[at_++];
  if (token.accent.empty() && token.script.empty() && token.primes == 0) {
    if (token.text == "e") return builder_.leaf(Op::e);
    if (token.text == "i") return builder_.leaf(Op::imaginary);
  }
  if (is_applied(token)) return applied(spelling(token));
  // f^{-1}(x)
  const bool may_invert = token.accent.empty() && (token.text == "f" || token.text == "g");
  if (may_invert && now().is(power) && ahead(1).is(brace_open) && ahead(2).is(minus) &&
      ahead(3).is(numeral) && ahead(3).text == "1" && ahead(4).is(brace_close) &&
      ahead(5).is(paren_open)) {
    at_ += 5;
    return applied(spelling(token) + "^{-1}");
  }
  const NodeId node = builder_.named(Op::symbol, spelling(token));
  if (token.bold || token.accent == "vec" || token.accent == "hat") {
    vectors_.push_back(node);
    if (token.bold && is_upper(token.text[0])) matrices_.push_back(node);
  }
  return node;
}

bool Grammar::is_applied(const Token& token) const {
  static constexpr auto kGreek =
      std::to_array<std::string_view>({"phi", "varphi", "psi", "Phi", "Gamma", "zeta"});
  if (!now().is(paren_open) || now().spaced) return false;
  if (token.primes > 0) return true;
  if (token.accent == "\\")
    return std::find(kGreek.begin(), kGreek.end(), token.text) != kGreek.end();
  if (!token.accent.empty()) return false;
  const char letter = token.text[0];
  if (is_upper(letter) || letter == 'f' || letter == 'g') return true;
  const bool single = (ahead(1).is(symbol) || ahead(1).is(numeral)) && ahead(2).is(paren_close);
  return single && std::string_view("hpqrsuvy").find(letter) != std::string_view::npos;
}

NodeId Grammar::applied(std::string name) {
  const std::size_t mark = builder_.mark();
  entries_until(paren_close);
  return builder_.apply(std::move(name), mark);
}

// From an opening bracket to the closing one: pushes what the commas set apart.
void Grammar::entries_until(TokenKind close) {
  ++at_;
  const Within inside(*this, {});
  do {
    builder_.push(entry());
  } while (accept(comma) || accept(semicolon));
  expect(close);
}

NodeId Grammar::function() {
  auto which = static_cast<Function>(tokens_[at_++].detail);
  std::optional<NodeId> base, raised;
  for (int scripts = 0; scripts < 2; ++scripts) {
    if (accept(low)) {
      if (which != Function::log || base) return fail();
      const bool digits = now().is(numeral) && now().text != "10" && ahead(1).is(end);
      base = argument(digits);  // \log_28 is \log_2 8
    } else if (accept(power)) {
      const std::size_t braced = now().is(brace_open) ? 1 : 0;
      const bool minus_one = ahead(braced).is(minus) && ahead(braced + 1).is(numeral) &&
                             ahead(braced + 1).text == "1" &&
                             (braced == 0 || ahead(braced + 2).is(brace_close));
      if (minus_one) {
        const auto inverse = inverse_of(which);
        if (!inverse) return fail();
        which = *inverse;
        at_ += 2 + 2 * braced;
      } else {
        raised = exponent();
      }
    }
  }
  const bool outer = std::exchange(angle_, which <= Function::csc);
  const NodeId node = function_of(which, base);
  angle_ = outer;
  return raised ? builder_.make(Op::power, {node, *raised}) : node;
}

NodeId Grammar::function_of(Function which, std::optional<NodeId> base) {
  const auto index = static_cast<std::uint32_t>(which);
  const std::size_t mark = builder_.mark();
  if (now().is(paren_open) || (takes_several(which) && now().is(set_open))) {
    entries_until(now().is(paren_open) ? paren_close : set_close);
    const std::size_t count = builder_.waiting_since(mark);
    const bool with_base = which == Function::log && !base && count == 2;
    if (count > 1 && !takes_several(which) && !with_base) return fail();
  } else if (takes_several(which)) {
    return fail();
  } else if (now().is(brace_open)) {
    builder_.push(argument(false));
  } else {
    builder_.push(bare_argument());
    // \sin x/2: half of it, or of x? With a space or a function after it the sign is outside.
    const bool outside = now().spaced || ahead(1).is(TokenKind::function);
    if (now().is(slash) && !outside) return fail();
  }
  if (base) builder_.push(*base);
  return builder_.gather(Op::function, mark, index);
}

// What a function without brackets takes: \sin 2x, \ln\frac{1}{2}, \cos\pi t.
NodeId Grammar::bare_argument() {
  const std::size_t mark = builder_.mark();
  const bool digits = now().is(numeral);
  builder_.push(signed_factor());
  for (;;) {
    const bool first = builder_.waiting_since(mark) == 1;
    const bool letter = now().is(symbol) && now().accent.empty() && now().script.empty();
    const bool imaginary = letter && now().text == "i";
    if (digits && first && (now().is(paren_open) || imaginary)) return fail();  // \ln 2(x + 1)
    const bool raised_e = letter && now().text == "e" && ahead(1).is(power);
    if (now().is(constant) || (now().is(symbol) && !imaginary && !raised_e)) {
      builder_.push(factor());
    } else {
      return builder_.gather_several(Op::multiply, mark);
    }
  }
}

// An argument of a command: a group, one digit where two arguments may stand together (\frac12),
// or one operand.
NodeId Grammar::argument(bool one_digit) {
  if (now().is(brace_open) || now().is(group_open)) {
    const Level level(*this);
    if (failed()) return fail();
    ++at_;
    const Within inside(*this, {.grouped_commas = true});
    const NodeId node = stacked(entry());
    expect(brace_close);
    return node;
  }
  if (!now().is(numeral)) return operand();
  if (!one_digit) return number(false);
  std::string_view& digits = tokens_[at_].text;
  if (!is_digit(digits[0]) || (digits.size() > 1 && !is_digit(digits[1]))) return fail();
  const NodeId node = numeral_node(digits.substr(0, 1));
  if (failed()) return fail();
  digits.remove_prefix(1);
  if (digits.empty()) ++at_;
  return node;
}

// {a \over b}, {n \choose k}.
NodeId Grammar::stacked(NodeId above) {
  if (accept(over)) return builder_.make(Op::divide, {above, entry()});
  if (accept(choose)) return builder_.make(Op::binomial, {above, entry()});
  return above;
}

// \binom{n}{k}, binomial(n, k).
NodeId Grammar::binomial_coefficient() {
  if (!now().is(paren_open)) {
    const NodeId n = argument(true);
    return builder_.make(Op::binomial, {n, argument(true)});
  }
  const std::size_t mark = builder_.mark();
  entries_until(paren_close);
  if (builder_.waiting_since(mark) != 2) return fail();
  return builder_.gather(Op::binomial, mark);
}

NodeId Grammar::fraction() {
  const NodeId numerator = argument(true);
  return builder_.make(Op::divide, {numerator, argument(true)});
}

NodeId Grammar::root(std::uint8_t degree) {
  NodeId index = 0;
  if (now().is(bracket_open)) {
    ++at_;
    const Within inside(*this, {});
    index = entry();
    expect(bracket_close);
  } else {
    index = builder_.number(degree);
  }
  return builder_.make(Op::root, {argument(false), index});
}

// One entry in brackets is only grouped, two with a square bracket are an interval.
NodeId Grammar::bracketed(TokenKind open) {
  const std::size_t mark = builder_.mark();
  ++at_;
  bool rows = true;
  TokenKind close = end;
  {
    const Within inside(*this, {});
    do {
      rows = rows && now().is(bracket_open);
      context_.interval_tail = builder_.waiting_since(mark) > 0;
      builder_.push(entry());
    } while (accept(comma) || accept(semicolon));
    close = now().kind;
    ++at_;
  }
  const std::size_t count = builder_.waiting_since(mark);
  if (close == (open == paren_open ? paren_close : bracket_close) && open != bracket_close) {
    if (count == 1) return builder_.gather_several(Op::tuple, mark);
    if (open == bracket_open && rows) return rows_of(mark);
    if (open == paren_open || count > 2) return builder_.gather(Op::tuple, mark);
  }
  const bool ends = close == paren_close || close == bracket_close || close == bracket_open;
  if (!ends || count != 2 || failed() || (open == bracket_close && close == paren_close))
    return fail();
  return builder_.gather(
      Op::interval, mark,
      (open == bracket_open ? kClosedLow : 0) | (close == bracket_close ? kClosedHigh : 0));
}

// [[1, 2], [3, 4]]: rows of equal lengths are a matrix.
NodeId Grammar::rows_of(std::size_t mark) {
  if (failed()) return fail();
  std::vector<NodeId> entries;
  std::size_t columns = 0;
  for (std::size_t i = mark; i < mark + builder_.waiting_since(mark); ++i) {
    const NodeId row = builder_.waiting()[i];
    const Node& node = builder_.node(row);
    if (columns == 0) columns = node.count;
    const bool is_row = node.op == Op::interval || node.op == Op::tuple;
    if (!is_row || node.count != columns) return fail();
    const auto children = builder_.expression().children_of(row);
    entries.insert(entries.end(), children.begin(), children.end());
  }
  builder_.waiting().resize(mark);
  for (const NodeId id : entries) builder_.push(id);
  return builder_.gather(Op::matrix, mark, static_cast<std::uint32_t>(columns));
}

// Bare braces group, and are a set when there are commas in them. Those of \mathrm{...} only group.
NodeId Grammar::braces(bool only_groups) {
  const std::size_t mark = builder_.mark();
  ++at_;
  const Within inside(*this, {.grouped_commas = only_groups, .separators = !only_groups});
  const NodeId first = stacked(entry());
  if (accept(brace_close)) return first;
  if (only_groups || failed()) return fail();
  if (now().is(mid) || now().is(bar) || now().is(colon)) return condition_of(first, brace_close);
  builder_.push(first);
  while (accept(comma) || accept(semicolon)) builder_.push(entry());
  expect(brace_close);
  return builder_.gather(Op::set, mark);
}

NodeId Grammar::set() {
  const std::size_t mark = builder_.mark();
  ++at_;
  if (accept(set_close)) return builder_.leaf(Op::empty_set);
  const Within inside(*this, {.separators = true});
  const NodeId first = entry();
  if (now().is(mid) || now().is(bar) || now().is(colon)) return condition_of(first, set_close);
  builder_.push(first);
  while (accept(comma) || accept(semicolon)) builder_.push(entry());
  expect(set_close);
  return builder_.gather(Op::set, mark);
}

// From the sign between the element and its condition to the end of the set.
NodeId Grammar::condition_of(NodeId element, TokenKind close) {
  const std::size_t mark = builder_.mark();
  entries_until(close);
  const NodeId condition = builder_.gather_several(Op::logical_and, mark);
  return builder_.make(Op::set_builder, {element, condition});
}

// \langle 1, 2 \rangle and <1, 2>.
NodeId Grammar::angled() {
  const std::size_t mark = builder_.mark();
  const bool plain = tokens_[at_++].is(relation);
  const Within inside(*this, {});
  do {
    builder_.push(sum());
  } while (accept(comma));
  const bool closed =
      plain ? now().is(relation) && static_cast<Relation>(now().detail) == Relation::greater
            : now().is(angle_close);
  if (!closed || builder_.waiting_since(mark) < 2) return fail();
  ++at_;
  return builder_.gather(Op::tuple, mark);
}

NodeId Grammar::bars(TokenKind open) {
  ++at_;
  const TokenKind close = open == floor_open     ? floor_close
                          : open == ceiling_open ? ceiling_close
                          : open == bar_open     ? bar_close
                                                 : open;
  const Within inside(*this, {.bar = close});
  const NodeId node = sum();
  if (!accept(close)) return fail();
  if (open == norm) {
    const std::size_t mark = builder_.mark();
    builder_.push(node);
    return builder_.apply("norm", mark);
  }
  return builder_.make(open == floor_open     ? Op::floor
                       : open == ceiling_open ? Op::ceiling
                                              : Op::absolute,
                       {node});
}

NodeId Grammar::matrix() {
  const std::string_view kind = tokens_[at_++].text;
  const Within inside(*this, {.grouped_commas = true});
  const std::size_t mark = builder_.mark();
  std::size_t columns = 0;
  while (!now().is(matrix_end) && !failed()) {
    const std::size_t row = builder_.mark();
    do {
      builder_.push(entry());
    } while (accept(ampersand));
    if (columns == 0) columns = builder_.waiting_since(row);
    if (builder_.waiting_since(row) != columns) return fail();
    if (!accept(row_break) && !now().is(matrix_end)) return fail();
  }
  if (columns == 0 || now().text != kind) return fail();
  expect(matrix_end);
  const NodeId node = builder_.gather(Op::matrix, mark, static_cast<std::uint32_t>(columns));
  return kind == "vmatrix" ? builder_.make(Op::absolute, {node}) : node;
}

}  // namespace orchestrator
