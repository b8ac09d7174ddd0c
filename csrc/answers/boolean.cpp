#include "answers/boolean.hpp"

#include <algorithm>
#include <array>

#include "answers/latex.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxLength = 32;

constexpr std::array<std::string_view, 6> kTrue{"yes", "y", "true", "t", "correct", "right"};
constexpr std::array<std::string_view, 9> kFalse{
    "no", "n", "false", "f", "incorrect", "wrong", "not true", "not correct", "not right"};

}  // namespace

std::optional<bool> whole_boolean(std::string_view text) {
  if (text.size() > kMaxLength) return std::nullopt;
  std::string word = lowered(text);
  std::erase(word, kTextMark);
  const std::string_view said = unwrap(word);
  if (std::find(kTrue.begin(), kTrue.end(), said) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), said) != kFalse.end()) return false;
  return std::nullopt;
}

}  // namespace orchestrator
