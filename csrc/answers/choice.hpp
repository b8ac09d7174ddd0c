// Letters of multiple-choice options, in the ways models write them.
//
// A to J count as they stand; K to Z only where something marks them as options: brackets, a noun
// before them ("option K"), emphasis, or ")", "." or ":" after them. Letters set apart by their
// script alone count too: 答案选B, 정답은 B입니다.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

// An option's letter, in upper case, and where it stood.
struct FoundChoice {
  char letter = '\0';
  std::size_t begin = 0, end = 0;
};

// The letter when `text` is nothing else: B, (B), [B], B., **B**, "option b", (b). `lower` says
// that only choices are looked for: then a bare lower-case letter is one, and a bare K to Z, which
// might else be variables.
std::optional<char> whole_choice(std::string_view text, bool lower);

// The letters, sorted and each once, when `text` is nothing but two or more of them: "A and C", "B,
// D", "(A), (C)". Empty if it is anything else, "A or C" too, which settles on neither.
std::string whole_choices(std::string_view text);

// The letter a statement begins with: "B) because", "(b) Paris", "**B.** Paris", "option C is", "C
// Paris", "D, since". The words "A" and "I" count only with a mark after them, when a connective
// follows, or before a name that ends the line ("A Peter").
std::optional<FoundChoice> leading_choice(std::string_view text);

// What a text settles on. The words "A" and "I" inside a sentence, operands of formulas, and
// letters that are turned down ("not B", "B is wrong") do not count, nor do several at once
// ("either A or B", "A and C").
struct SettledChoice {
  std::optional<FoundChoice> named;  // the last letter said to be it: "the best choice is option
                                     // B", "so I think it's D", "C is correct"
  std::optional<FoundChoice> mentioned;  // the last mentioned as an option: "option b", "(C)", "D"
};
SettledChoice settled_choice(std::string_view text);

// For a statement that names its choice before it argues: the first letter mentioned.
std::optional<FoundChoice> first_choice(std::string_view text);

}  // namespace orchestrator
