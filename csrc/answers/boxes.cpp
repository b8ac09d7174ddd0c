#include "answers/boxes.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "answers/latex.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t kMaxChain = 64;    // boxes that can be one answer
constexpr std::size_t kMaxJoint = 64;    // bytes between two of them
constexpr std::size_t kMaxReach = 1024;  // bytes from one of them back to the one before

// A box that closed: its contents and the whole of it.
struct Closed {
  std::string_view content;
  std::size_t begin, end;
};

std::size_t box_command(std::string_view rest) {
  if (rest.starts_with("\\boxed")) return 6;
  if (rest.starts_with("\\fbox")) return 5;
  return 0;
}

// \boxed 5: the run of characters after it.
Closed unbraced_box(std::string_view text, std::size_t begin, std::size_t from) {
  while (char_at(text, from) == ' ') ++from;
  const std::size_t end = std::min(text.find_first_of(" \t\r\n$\\", from), text.size());
  return {unwrap(text.substr(from, end - from)), begin, end};
}

// The boxes that close among those opened at or after `from`, in the order they close, found with a
// stack of open braces in one pass, so that a million unclosed ones cost no more than their length.
// Only the last kMaxChain are kept.
std::vector<Closed> closed_boxes(std::string_view text, std::size_t from) {
  constexpr std::size_t kPlain = npos;
  struct Open {
    std::size_t command, content;  // kPlain where no box opened
  };
  std::vector<Open> open;
  std::vector<Closed> closed;
  const auto keep = [&](const Closed& box) {
    if (box.content.empty()) return;
    if (closed.size() == 2 * kMaxChain)
      closed.erase(closed.begin(), closed.begin() + static_cast<std::ptrdiff_t>(kMaxChain));
    closed.push_back(box);
  };
  for (std::size_t at = from; at < text.size(); ++at) {
    if (text[at] == '\\') {
      const std::size_t command = box_command(text.substr(at));
      if (command == 0) {
        const char next = char_at(text, at + 1);
        if (next == '{' || next == '}') ++at;
        continue;
      }
      std::size_t brace = at + command;
      while (char_at(text, brace) == ' ') ++brace;
      if (char_at(text, brace) == '{') {
        open.push_back({at, brace + 1});
        at = brace;
      } else if (!is_alpha(char_at(text, at + command))) {
        keep(unbraced_box(text, at, at + command));
        at += command - 1;
      }
    } else if (text[at] == '{') {
      open.push_back({kPlain, at + 1});
    } else if (text[at] == '}' && !open.empty()) {
      const Open group = open.back();
      open.pop_back();
      if (group.command != kPlain)
        keep({trim(text.substr(group.content, at - group.content)), group.command, at + 1});
    }
  }
  return closed;
}

// Bytes of the piece at the start of `joint` that may stand between the boxes of one answer, or 0.
std::size_t joining_piece(std::string_view joint) {
  constexpr std::array<std::string_view, 12> kPieces{
      "\\quad", "\\qquad", "\\text{and}", "\\text{ and }", "\\text{or}", "\\text{ or }",
      "\\(",    "\\)",     "\\[",         "\\]",           "\\,",        "\\;"};
  if (is_space(joint[0]) || std::string_view(",;$").find(joint[0]) != npos) return 1;
  for (const std::string_view piece : kPieces) {
    if (joint.starts_with(piece)) return piece.size();
  }
  for (const std::string_view word : {"and", "or"}) {
    if (starts_with_word(joint, word)) return word.size();
  }
  return 0;
}

// Bytes of "x =", "y_2 =" or "x_{1} =" at the start of `joint`, or 0.
std::size_t name_before_equals(std::string_view joint) {
  if (!is_alpha(char_at(joint, 0))) return 0;
  std::size_t at = 1;
  if (char_at(joint, at) == '_') {
    ++at;
    while (is_alnum(char_at(joint, at)) || char_at(joint, at) == '{' || char_at(joint, at) == '}')
      ++at;
  }
  while (char_at(joint, at) == ' ') ++at;
  return char_at(joint, at) == '=' ? at + 1 : 0;
}

bool joins(std::string_view joint) {
  if (joint.size() > kMaxJoint) return false;
  bool separated = false;
  while (!joint.empty()) {
    std::size_t length = joining_piece(joint);
    if (length > 0) {
      const char c = joint[0];
      separated = separated || c == ',' || c == ';' || is_alpha(c) || joint.starts_with("\\text") ||
                  joint.starts_with("\\q");
    } else {
      length = name_before_equals(joint);
      if (length == 0) return false;
    }
    joint.remove_prefix(length);
  }
  return separated;
}

std::string listed(const std::vector<Closed>& boxes, std::size_t first) {
  std::string list(boxes[first].content);
  for (std::size_t i = first + 1; i < boxes.size(); ++i) {
    list += ", ";
    list += boxes[i].content;
  }
  return list;
}

// The first of the boxes that make one answer with the last.
std::size_t chain_start(std::string_view text, const std::vector<Closed>& boxes) {
  std::size_t first = boxes.size() - 1;
  while (first > 0) {
    const Closed &left = boxes[first - 1], &right = boxes[first];
    if (left.end > right.begin || !joins(text.substr(left.end, right.begin - left.end))) break;
    --first;
  }
  return first;
}

// Where to begin so that the boxes chained to the one at `at` are seen, and no text without need.
std::size_t before_chain(std::string_view text, std::size_t at) {
  std::size_t first = at;
  std::size_t boxes = 1;
  for (std::size_t near = at; boxes < kMaxChain && (near = rfind_char(text, '\\', near)) != npos;) {
    if (first - near > kMaxReach) break;
    if (box_command(text.substr(near)) > 0) {
      first = near;
      ++boxes;
    }
  }
  return first;
}

}  // namespace

BoxSearch find_box(std::string_view text) {
  std::size_t first = npos;
  for (std::size_t at = text.size(); (at = rfind_char(text, '\\', at)) != npos;) {
    if (box_command(text.substr(at)) == 0) continue;
    const bool last = first == npos;
    first = at;
    if (!last) continue;
    if (closed_boxes(text, at).empty()) continue;  // the usual case: the last box closes
    first = before_chain(text, at);
    break;
  }
  if (first == npos) return {};
  const std::vector<Closed> boxes = closed_boxes(text, first);
  if (boxes.empty()) return {std::nullopt, true, false};
  const std::size_t start = chain_start(text, boxes);
  const Closed& end = boxes.back();
  const bool at_end = end.end == text.size() && text.back() != '}';
  return {Box{listed(boxes, start), boxes[start].begin}, true, at_end};
}

}  // namespace orchestrator
