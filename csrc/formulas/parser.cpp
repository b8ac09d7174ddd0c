#include "formulas/parser.hpp"

#include <algorithm>
#include <string>

#include "answers/latex.hpp"
#include "formulas/grammar.hpp"
#include "text.hpp"

namespace orchestrator {

using enum TokenKind;

Grammar::Grammar(std::vector<Token>& tokens)
    : tokens_(tokens), builder_(std::min(tokens.size(), kMaxNodes) + 1) {}

void Grammar::expect(TokenKind kind) {
  if (!accept(kind)) fail();
}

NodeId Grammar::fail() {
  builder_.abandon();
  at_ = tokens_.size() - 1;
  return 0;
}

std::optional<Expression> Grammar::formula() {
  const NodeId root = listing();
  if (failed() || !now().is(end)) return std::nullopt;
  // A word by itself is a text, whatever command was around it.
  const Node& top = builder_.node(root);
  if (top.op == Op::word && !builder_.expression().names[top.index].starts_with('\\'))
    return std::nullopt;
  return builder_.finish(root);
}

NodeId Grammar::listing() {
  const NodeId first = stacked(entry());
  if (now().is(end)) return first;
  std::vector<NodeId> entries{first};
  std::vector<TokenKind> separators;
  while (now().is(comma) || now().is(semicolon) || now().is(both) || now().is(either)) {
    const TokenKind separator = now().kind;
    ++at_;
    const bool with_word = separator == comma || separator == semicolon;  // "1, 2, and 3"
    const TokenKind word = now().kind;
    const bool joined = with_word && (accept(both) || accept(either));
    separators.push_back(joined ? word : separator);
    entries.push_back(entry());
  }
  return failed() ? 0 : arranged(entries, separators);
}

// Entries between semicolons are lists of their own ("p = 5, q = 2; p = 7, q = 2"), and so are
// equal numbers of equations around a word ("p = 5, q = 2 and p = 7, q = 2"); "1, 2 or 3" is one
// list.
NodeId Grammar::arranged(std::span<const NodeId> entries, std::span<const TokenKind> separators) {
  if (const auto joint = condition_joint(entries, separators)) return listed(*joint, entries);
  if (const auto either_of = alternatives(entries, separators)) return *either_of;
  const auto has = [&](TokenKind kind) {
    return std::find(separators.begin(), separators.end(), kind) != separators.end();
  };
  const bool semicolons = has(semicolon);
  const auto splits = [&](TokenKind kind) {
    return semicolons ? kind == semicolon : kind == both || kind == either;
  };
  std::vector<std::span<const NodeId>> groups;
  std::size_t start = 0;
  for (std::size_t i = 0; i < separators.size(); ++i) {
    if (!splits(separators[i])) continue;
    groups.push_back(entries.subspan(start, i + 1 - start));
    start = i + 1;
  }
  groups.push_back(entries.subspan(start));
  const bool alike = std::all_of(groups.begin(), groups.end(), [&](const auto& group) {
    return group.size() > 1 && group.size() == groups.front().size();
  });
  const bool equations =
      std::all_of(entries.begin(), entries.end(), [&](NodeId id) { return is_relation(id); });
  if (groups.size() == 1 || (!semicolons && !(alike && equations))) {
    return listed(Op::list, entries);
  }
  std::vector<NodeId> lists;
  for (const auto& group : groups) lists.push_back(listed(Op::list, group));
  return listed(Op::list, lists);
}

// Equations with "or" between them: "x = 1 or y = 2", "p = 5, q = 2 or p = 7, q = 2".
std::optional<NodeId> Grammar::alternatives(std::span<const NodeId> entries,
                                            std::span<const TokenKind> separators) {
  const bool split = std::find(separators.begin(), separators.end(), either) != separators.end();
  const bool equations =
      std::all_of(entries.begin(), entries.end(), [&](NodeId id) { return is_relation(id); });
  const bool semicolons =
      std::find(separators.begin(), separators.end(), semicolon) != separators.end();
  if (!split || !equations || semicolons) return std::nullopt;
  // "x = 1, x = 2 or x = 3" is one enumeration: only one "or", and no "and".
  const bool words = std::find(separators.begin(), separators.end(), both) != separators.end();
  const bool commas = std::find(separators.begin(), separators.end(), comma) != separators.end();
  if (commas && !words) return std::nullopt;
  std::vector<NodeId> parts;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= separators.size(); ++i) {
    if (i < separators.size() && separators[i] != either) continue;
    const auto group = entries.subspan(start, i + 1 - start);
    parts.push_back(group.size() == 1 ? group[0] : listed(Op::list, group));
    start = i + 1;
  }
  return listed(Op::logical_or, parts);
}

// "x < 1 or x > 2" joins conditions; "x = 1 or x = 2" lists solutions.
std::optional<Op> Grammar::condition_joint(std::span<const NodeId> entries,
                                           std::span<const TokenKind> separators) const {
  const TokenKind first = separators.empty() ? end : separators.front();
  const bool one_word = (first == both || first == either) &&
                        std::all_of(separators.begin(), separators.end(),
                                    [&](TokenKind kind) { return kind == first; });
  const bool conditions =
      std::all_of(entries.begin(), entries.end(), [&](NodeId id) { return is_condition(id); });
  if (!one_word || !conditions) return std::nullopt;
  return first == both ? Op::logical_and : Op::logical_or;
}

NodeId Grammar::listed(Op op, std::span<const NodeId> entries) {
  const std::size_t mark = builder_.mark();
  for (const NodeId id : entries) builder_.push(id);
  return builder_.gather_several(op, mark);
}

bool Grammar::is_relation(NodeId id) const {
  return builder_.intact() && builder_.node(id).op == Op::relation;
}

bool Grammar::is_condition(NodeId id) const {
  if (!is_relation(id)) return false;
  const auto& chain = builder_.expression().chains[builder_.node(id).index];
  return std::all_of(chain.begin(), chain.end(), [](Relation said) {
    return said != Relation::equal && said != Relation::approximately;
  });
}

NodeId Grammar::entry() {
  const std::size_t mark = builder_.mark();
  do {
    builder_.push(conjoined());
  } while (accept(disjunction));
  return builder_.gather_several(Op::logical_or, mark);
}

NodeId Grammar::conjoined() {
  const std::size_t mark = builder_.mark();
  do {
    builder_.push(chain());
  } while (accept(conjunction));
  return builder_.gather_several(Op::logical_and, mark);
}

NodeId Grammar::chain() {
  const NodeId first = proportion();
  if (!now().is(relation)) return first;
  const std::size_t mark = builder_.mark();
  builder_.push(first);
  std::vector<Relation> signs;
  while (now().is(relation)) {
    signs.push_back(static_cast<Relation>(now().detail));
    ++at_;
    builder_.push(proportion());
  }
  return builder_.relation(std::move(signs), mark);
}

NodeId Grammar::proportion() {
  const std::size_t mark = builder_.mark();
  do {
    builder_.push(set_operation());
  } while (!context_.separators && accept(colon));
  return builder_.gather_several(Op::ratio, mark);
}

// From the left; equal operations of more than two sets are one node, but for differences.
NodeId Grammar::set_operation() {
  const std::size_t mark = builder_.mark();
  builder_.push(reduced());
  Op last = Op::set_difference;
  while (now().is(set_operator)) {
    const Op op = static_cast<Op>(now().detail);
    ++at_;
    const bool several = builder_.waiting_since(mark) > 1;
    if (several && (op != last || op == Op::set_difference))
      builder_.push(builder_.gather(last, mark));
    last = op;
    builder_.push(reduced());
  }
  return builder_.gather_several(last, mark);
}

NodeId Grammar::reduced() {
  NodeId node = sum();
  for (;;) {
    if (accept(modulo)) {
      const NodeId modulus = product();
      node = builder_.make(Op::modulo, {node, modulus}, is_remainder(node, modulus) ? 1 : 0);
    } else if (accept(pmodulo)) {
      node = builder_.make(Op::modulo, {node, argument(false)}, 1);
    } else if (now().is(paren_open) && ahead(1).is(modulo)) {  // x \equiv 3 (\bmod 5)
      at_ += 2;
      node = builder_.make(Op::modulo, {node, sum()}, 1);
      expect(paren_close);
    } else {
      return node;
    }
  }
}

// Whether a mod m says nothing of its own as a calculation: 4 mod 7.
bool Grammar::is_remainder(NodeId value, NodeId modulus) const {
  if (!builder_.intact()) return false;
  const Node &a = builder_.node(value), &m = builder_.node(modulus);
  if (a.op != Op::number || m.op != Op::number) return false;
  const auto& numbers = builder_.expression().numbers;
  return !numbers[a.index].negative() && (numbers[a.index] + numbers[m.index].negated()).negative();
}

namespace {

// A tree of kMaxNodes takes no more characters than this to write.
constexpr std::size_t kMaxText = std::size_t{1} << 15;

// Whether `text` is UTF-8, without overlong forms and surrogates, and has no NUL in it.
bool is_plain_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead == 0) return false;
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - i < length) return false;
    std::uint32_t code = lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xc0U) != 0x80) return false;
      code = code << 6 | (byte & 0x3fU);
    }
    const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += length;
  }
  return true;
}

// LaTeX that was escaped once too often: \\frac{1}{2}. Then every run of backslashes has an even
// length and some command follows one.
bool is_escaped_twice(std::string_view text) {
  bool commands = false;
  for (std::size_t at = text.find('\\'); at != text.npos; at = text.find('\\', at)) {
    std::size_t past = at;
    while (char_at(text, past) == '\\') ++past;
    if ((past - at) % 2 != 0) return false;
    const char next = char_at(text, past);
    commands = commands || is_alpha(next) || next == '{' || next == '(' || next == '[';
    at = past;
  }
  return commands;
}

std::string escaped_once(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\\') ++i;
  }
  return out;
}

// The inside of a box that is all of `text`.
std::string_view unboxed(std::string_view text) {
  for (const std::string_view box : {"\\boxed{", "\\fbox{"}) {
    if (!text.starts_with(box) || !text.ends_with('}')) continue;
    const std::string_view inside = text.substr(box.size(), text.size() - box.size() - 1);
    std::size_t depth = 0;
    for (const char c : inside) {
      if (c == '{') ++depth;
      if (c == '}' && depth-- == 0) return text;
    }
    return inside;
  }
  return text;
}

}  // namespace

std::optional<Expression> parse(std::string_view text) {
  text = unwrap(text);
  if (text.empty() || text.size() > kMaxText || !is_plain_utf8(text)) return std::nullopt;
  std::string rewritten;
  if (is_escaped_twice(text)) {
    rewritten = escaped_once(text);
    text = unwrap(rewritten);
  }
  if (std::any_of(text.begin(), text.end(), is_multibyte)) {
    rewritten = simplify(text);
    text = unwrap(rewritten);
  }
  std::vector<Token> tokens;
  if (!tokenize(unwrap(unboxed(text)), tokens)) return std::nullopt;
  return Grammar(tokens).formula();
}

}  // namespace orchestrator
