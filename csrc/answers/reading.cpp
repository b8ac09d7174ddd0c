#include "answers/reading.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>

namespace orchestrator {
namespace {

template <typename Value, std::size_t N>
using Names = std::array<std::pair<Value, std::string_view>, N>;

constexpr Names<Kind, 8> kKinds{{{Kind::automatic, "auto"},
                                 {Kind::number, "number"},
                                 {Kind::math, "math"},
                                 {Kind::choice, "choice"},
                                 {Kind::boolean, "boolean"},
                                 {Kind::date, "date"},
                                 {Kind::text, "text"},
                                 {Kind::code, "code"}}};

constexpr Names<UnitRule, 3> kUnitRules{
    {{UnitRule::by_kind, "by_kind"}, {UnitRule::drop, "drop"}, {UnitRule::keep, "keep"}}};

constexpr Names<PercentRule, 2> kPercentRules{
    {{PercentRule::fraction, "fraction"}, {PercentRule::number, "number"}}};

template <typename Value, std::size_t N>
Value named(std::string_view what, std::string_view name, const Names<Value, N>& names) {
  for (const auto& [value, known] : names) {
    if (known == name) return value;
  }
  std::string message(what);
  message += " must be one of ";
  for (const auto& [value, known] : names) message.append(known).append(", ");
  message.resize(message.size() - 2);
  throw std::invalid_argument(message + ", not '" + std::string(name) + "'");
}

}  // namespace

std::string_view name_of(Kind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(),
                      [&](const auto& entry) { return entry.first == kind; })
      ->second;
}

Kind kind_of(std::string_view name) { return named("kind", name, kKinds); }

UnitRule unit_rule_of(std::string_view name) { return named("units", name, kUnitRules); }

PercentRule percent_rule_of(std::string_view name) { return named("percent", name, kPercentRules); }

}  // namespace orchestrator
