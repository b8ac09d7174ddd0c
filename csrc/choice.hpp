// Letters of multiple-choice options, in the ways models write them.
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

// The letter when `text` is nothing else: B, (B), [B], B., **B**, "option b", (b). A bare
// lower-case letter is a choice only when `lower` allows it: it may be a variable.
std::optional<char> whole_choice(std::string_view text, bool lower);

// The letter a statement begins with: "B) because", "(b) Paris", "**B.** Paris", "option C is", "C
// Paris", "D, since". The words "A" and "I" count only with a mark after them or when a connective
// follows.
std::optional<FoundChoice> leading_choice(std::string_view text);

// The last letter named in prose: "option b", "(C)", "B is right", "so I think it's D". A letter
// after "not", and the words "A" and "I" inside a sentence, do not count.
std::optional<FoundChoice> last_choice(std::string_view text);

// The first of them, for a statement that names its choice before it argues.
std::optional<FoundChoice> first_choice(std::string_view text);

}  // namespace orchestrator
