// Canonical keys: two answers of one kind are equal exactly when their keys are.
//
//   n:1/2     an exact number in lowest terms
//   c:B       a choice
//   m:x^2+1   mathematics that is no number: one spelling, no needless spaces, case kept
//   t:paris   a text: ASCII letters in lower case, spaces collapsed, wrapping taken off
//   x:...     code, byte for byte but for trailing spaces
//
// The prefix keeps a number from ever meeting a text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

enum class Kind { automatic, number, math, choice, text, code };

// What becomes of a unit after a number ("5 cm"). by_kind: kind number drops any word, math and
// automatic drop what cannot be a variable, the others have no units.
enum class UnitRule { by_kind, drop, keep };

// What "50%" says: the number 1/2, or the number 50 as under "how many percent?".
enum class PercentRule { fraction, number };

// How a task's answers are read and compared.
struct Reading {
  Kind kind = Kind::automatic;
  UnitRule units = UnitRule::by_kind;
  PercentRule percent = PercentRule::fraction;

  Reading() = default;
  Reading(Kind read_as) : kind(read_as) {}  // NOLINT: a kind alone is a reading
};

// The name used outside: "auto", "number", ...
std::string_view name_of(Kind kind);
// Throws std::invalid_argument for a name that is none of these.
Kind kind_of(std::string_view name);
// The kind a key was made as: number, choice, math, text or code.
Kind kind_of_key(std::string_view key);

// The key of an answer. Never fails: what cannot be read as `kind` gets a text key; so does an
// empty text ("t:").
std::string normalize(std::string_view answer, Kind kind);

// The key of an answer if it is a number (kind number: units dropped, decimal comma read; else only
// units that cannot be variables).
std::optional<std::string> number_key(std::string_view answer, Kind kind);

// Whether simplified `text` is a formula: no words of two letters or more besides commands and
// functions.
bool looks_like_math(std::string_view simplified);

}  // namespace orchestrator
