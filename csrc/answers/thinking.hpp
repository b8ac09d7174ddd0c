// The part of a model's output that is addressed to the reader.
#pragma once

#include <optional>
#include <string_view>

namespace orchestrator {

// What follows the last block of thinking, up to the token that ends the turn; none when a block is
// still open.
//
//   blocks   <think> </think>, <thinking>, <thought>, <reasoning>, <seed:think>, [THINK] [/THINK],
//            ◁think▷ ◁/think▷, <|begin_of_thought|> <|end_of_thought|>
//   channels <|channel|>analysis<|message|>... <|channel|>final<|message|>: the final one counts
//   ends     <|im_end|>, <|eot_id|>, <|endoftext|>, </s> and their like, and a next turn's start
std::optional<std::string_view> after_thinking(std::string_view text);

}  // namespace orchestrator
