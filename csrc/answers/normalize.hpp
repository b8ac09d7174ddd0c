// Canonical keys: two answers of one kind are equal exactly when their keys are.
//
//   n:1/2     an exact number in lowest terms; with units kept, its unit after a space: n:5 cm
//   o:3       an ordinal (third, 3rd); under kind number it is the number 3
//   c:B       a choice
//   b:true    a boolean, under kind boolean only: elsewhere "yes" and "true" are two texts
//   d:...     a date, a time or both; date.hpp lists the forms
//   m:x^2+1   mathematics that is no number: one spelling, no needless spaces, case kept
//   t:paris   a text: ASCII letters in lower case, spaces collapsed, wrapping taken off
//   x:...     code, byte for byte but for trailing spaces
//
// The prefix keeps a number from ever meeting a text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "answers/reading.hpp"

namespace orchestrator {

// The kind a key was made as: number (ordinals too), choice, boolean, date, math, text or code.
Kind kind_of_key(std::string_view key);

// The key of an answer. Never fails: what cannot be read as `reading.kind` gets a text key; so does
// an empty text ("t:"). Any bytes are taken, in time linear in their number.
std::string normalize(std::string_view answer, const Reading& reading);

// The key of an answer if it is a number.
std::optional<std::string> number_key(std::string_view answer, const Reading& reading);

// Whether simplified `text` is a formula: no words of two letters or more besides commands and
// functions.
bool looks_like_math(std::string_view simplified);

}  // namespace orchestrator
