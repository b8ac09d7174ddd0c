#include "answers/thinking.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;

struct Marker {
  std::string_view token;
  bool opens;
};

constexpr std::array<Marker, 16> kThinking{{{"</think>", false},
                                            {"<think>", true},
                                            {"</thinking>", false},
                                            {"<thinking>", true},
                                            {"</thought>", false},
                                            {"<thought>", true},
                                            {"</reasoning>", false},
                                            {"<reasoning>", true},
                                            {"</seed:think>", false},
                                            {"<seed:think>", true},
                                            {"<|end_of_thought|>", false},
                                            {"<|begin_of_thought|>", true},
                                            {"<|channel|>final<|message|>", false},
                                            {"<|channel|>final", true},
                                            {"<|channel|>analysis", true},
                                            {"<|channel|>commentary", true}}};
constexpr std::array<Marker, 2> kBracketed{{{"[/THINK]", false}, {"[THINK]", true}}};
constexpr std::array<Marker, 2> kTriangled{{{"◁/think▷", false}, {"◁think▷", true}}};

constexpr std::array<std::string_view, 20> kTurnEnds{"<|im_end|>",
                                                     "<|im_start|>",
                                                     "<|endoftext|>",
                                                     "<|eot_id|>",
                                                     "<|eom_id|>",
                                                     "<|end_of_text|>",
                                                     "<|start_header_id|>",
                                                     "<|end|>",
                                                     "<|return|>",
                                                     "<|start|>",
                                                     "<|user|>",
                                                     "<|assistant|>",
                                                     "<|end_of_solution|>",
                                                     "<|end_of_turn|>",
                                                     "<end_of_turn>",
                                                     "<start_of_turn>",
                                                     "<|END_OF_TURN_TOKEN|>",
                                                     "<｜end▁of▁sentence｜>",
                                                     "<｜User｜>",
                                                     "</s>"};

struct Found {
  std::size_t at = npos;
  std::size_t end = 0;
  bool opens = false;
};

// The last marker of a table; `anchor` is a byte all of its tokens hold at `offset` or, when they
// are of different lengths, at most that far from their beginning.
template <std::size_t N>
Found last_of(std::string_view text, const std::array<Marker, N>& markers, char anchor,
              std::size_t offset) {
  for (std::size_t hit = text.size(); (hit = rfind_char(text, anchor, hit)) != npos;) {
    const std::size_t first = hit - std::min(hit, offset);
    for (std::size_t at = hit + 1; at-- > first;) {
      const std::string_view rest = text.substr(at);
      for (const Marker& marker : markers) {
        if (rest.starts_with(marker.token)) return {at, at + marker.token.size(), marker.opens};
      }
    }
  }
  return {};
}

Found last_marker(std::string_view text) {
  Found last = last_of(text, kThinking, '<', 0);
  // Only what begins inside a word of capitals or with a rare byte can hold one of the others.
  for (const Found& other :
       {last_of(text, kBracketed, 'K', 6), last_of(text, kTriangled, '\x97', 1)}) {
    if (other.at != npos && (last.at == npos || other.at > last.at)) last = other;
  }
  return last;
}

// Up to the first token that ends the turn. Tokens before anything was said are passed over.
std::string_view this_turn(std::string_view text) {
  for (std::size_t at = text.find('<'); at != npos;) {
    const std::string_view rest = text.substr(at);
    const auto token = std::find_if(kTurnEnds.begin(), kTurnEnds.end(),
                                    [&](std::string_view end) { return rest.starts_with(end); });
    if (token == kTurnEnds.end()) {
      at = text.find('<', at + 1);
    } else if (trim(text.substr(0, at)).empty()) {
      text = text.substr(at + token->size());
      at = text.find('<');
    } else {
      return text.substr(0, at);
    }
  }
  return text;
}

}  // namespace

std::optional<std::string_view> after_thinking(std::string_view text) {
  const Found last = last_marker(text);
  if (last.at == npos) return this_turn(text);
  if (last.opens) return std::nullopt;
  return this_turn(text.substr(last.end));
}

}  // namespace orchestrator
