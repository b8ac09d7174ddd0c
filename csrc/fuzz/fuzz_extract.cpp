// Reading answers from arbitrary bytes: every kind, rule for units and rule for percent, whole and
// truncated texts. The first byte picks the kind; of the second, bit 0 says whether the text was cut
// off, bit 1 picks the rule for percent and the rest the rule for units.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "answers/arithmetic.hpp"
#include "answers/extract.hpp"
#include "answers/normalize.hpp"
#include "answers/spans.hpp"
#include "answers/thinking.hpp"

using namespace orchestrator;

namespace {

constexpr Kind kKinds[] = {Kind::automatic, Kind::number,  Kind::math, Kind::choice,
                           Kind::text,      Kind::code,    Kind::date, Kind::boolean};
constexpr UnitRule kUnitRules[] = {UnitRule::by_kind, UnitRule::drop, UnitRule::keep};

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Reading reading{kKinds[data[0] % std::size(kKinds)],
                        kUnitRules[(data[1] >> 2) % std::size(kUnitRules)],
                        data[1] & 2 ? PercentRule::number : PercentRule::fraction};
  const bool truncated = data[1] & 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (const auto answer = extract(text, reading, truncated)) {
    require(answer->key.size() >= 2 && answer->key[1] == ':');
    const auto again = extract(text, reading, truncated);
    require(again && again->key == answer->key && again->text == answer->text);
  }
  const std::string key = normalize(text, reading);
  require(key.size() >= 2 && key[1] == ':');
  require(normalize(text, reading) == key);
  for (const std::string_view span : json_spans(text)) require(span.size() >= 2);
  last_code_block(text);
  after_thinking(text);
  find_expression(text);
  return 0;
}
