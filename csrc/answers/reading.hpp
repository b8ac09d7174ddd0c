// How a task's answers are read and compared: kinds and options, and their names.
#pragma once

#include <string_view>

namespace orchestrator {

enum class Kind { automatic, number, math, choice, boolean, date, text, code };

// What becomes of a unit after a number ("5 cm").
//   by_kind  number drops any word; math and automatic drop what cannot be a variable: words and
//            symbols of two letters or more, and whatever stands in \text
//   drop     as by_kind, and symbols of one letter too ("5 m" is 5)
//   keep     the same units are read, and the key shows them ("n:5 cm")
// The other kinds have no units. Units are compared by name: 1 m and 100 cm differ.
enum class UnitRule { by_kind, drop, keep };

// What "50%" says: the number 1/2, or the number 50 as under "how many percent?".
enum class PercentRule { fraction, number };

struct Reading {
  Kind kind = Kind::automatic;
  UnitRule units = UnitRule::by_kind;
  PercentRule percent = PercentRule::fraction;

  constexpr Reading() = default;
  constexpr Reading(Kind read_as) : kind(read_as) {}  // NOLINT: a kind alone is a reading
  constexpr Reading(Kind read_as, UnitRule unit_rule, PercentRule percent_rule)
      : kind(read_as), units(unit_rule), percent(percent_rule) {}
};

// The name used outside: "auto", "number", ...
std::string_view name_of(Kind kind);

// Each throws std::invalid_argument for a name that it does not know, listing those it does.
Kind kind_of(std::string_view name);
UnitRule unit_rule_of(std::string_view name);        // "by_kind", "drop", "keep"
PercentRule percent_rule_of(std::string_view name);  // "fraction", "number"

}  // namespace orchestrator
