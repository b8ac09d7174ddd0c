// Formulas from arbitrary bytes: parsed, written out again and fingerprinted.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "formulas/fingerprint.hpp"
#include "formulas/parser.hpp"

using namespace orchestrator;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = parse(text);
  if (!tree) return 0;
  require(tree->nodes.size() <= kMaxNodes && tree->root < tree->nodes.size());
  require(!format(*tree).empty());
  const auto key = fingerprint(*tree);
  if (key) require(key->starts_with("n:") || key->starts_with("m:"));
  require(fingerprint(*tree) == key);
  return 0;
}
