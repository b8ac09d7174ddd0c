// Answers that a phrase, a sign or a tag marks: "the final answer is", "#### x",
// <answer>x</answer>, "Answer:", and how other languages say it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace orchestrator {

struct Mark {
  std::string_view content;
  std::size_t at = 0;     // where its content begins
  bool complete = false;  // something follows it: a cut at the text's end did not shorten it
  bool strong = false;    // "final answer", "####" and <answer>, which nothing else is meant by
};

// The marks of a text: strong ones before weak ones, the last of each sort first, at most a few
// dozen. Linear in the text's length.
std::vector<Mark> find_marks(std::string_view text);

}  // namespace orchestrator
