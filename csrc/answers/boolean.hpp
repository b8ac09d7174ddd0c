// Yes and no, true and false, as answers.
#pragma once

#include <optional>
#include <string_view>

namespace orchestrator {

// The truth when simplified `text` says nothing else: yes, y, true, t, correct, right (true); no,
// n, false, f, incorrect, wrong, "not true", "not correct" (false), whatever their case.
std::optional<bool> whole_boolean(std::string_view text);

}  // namespace orchestrator
