// Parts of a text that carry their own delimiters: fenced code, XML elements, JSON values.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace orchestrator {

// The contents of the last fenced block that is closed, of a language if one is given ("python"
// also takes "py"). Fences are CommonMark's: three or more ` or ~, closed by at least as many.
std::optional<std::string_view> last_code_block(std::string_view text,
                                                std::string_view language = {});

// The contents of the last <name ...>...</name>; names in any case of ASCII letters.
struct Element {
  std::string_view content;
  std::size_t begin = 0;  // of its opening tag
  bool closed = true;
};
// With `open_end`, an element that runs to the end of the text counts too: "</answer>" is often a
// stop string.
std::optional<Element> last_element(std::string_view text, std::string_view name,
                                    bool open_end = false);

// The outermost balanced {...} and [...] spans, in order, at most `limit` of the last ones.
// Brackets inside JSON strings do not count.
std::vector<std::string_view> json_spans(std::string_view text, std::size_t limit = 8);

}  // namespace orchestrator
