#include "answers/latex.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "text.hpp"

namespace orchestrator {
namespace {

constexpr int kMaxWrappers = 8;  // bounds unwrap on hostile input; real answers have two or three

template <std::size_t N>
constexpr bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 16> kTextCommands{
    "text",   "textbf", "textit", "textrm", "textnormal", "textsf", "texttt",       "mathrm",
    "mathbf", "mathit", "mathsf", "mbox",   "hbox",       "emph",   "operatorname", "bold"};
constexpr std::array<std::string_view, 3> kFractions{"dfrac", "tfrac", "cfrac"};
constexpr std::array<std::string_view, 16> kSizes{
    "left", "right", "big",   "Big",   "bigg",  "Bigg",  "bigl",         "bigr",
    "Bigl", "Bigr",  "biggl", "biggr", "Biggl", "Biggr", "displaystyle", "textstyle"};
constexpr std::array<std::string_view, 4> kSpaces{"quad", "qquad", "hfill", "limits"};

struct Spelling {
  std::string_view from, to;
};

constexpr std::array<Spelling, 10> kCommandSpellings{{{"times", "*"},
                                                      {"cdot", "*"},
                                                      {"div", "/"},
                                                      {"degree", "°"},
                                                      {"leq", "\\le"},
                                                      {"geq", "\\ge"},
                                                      {"neq", "\\ne"},
                                                      {"lbrace", "\\{"},
                                                      {"rbrace", "\\}"},
                                                      {"percent", "%"}}};

// Unicode signs with one ASCII spelling. A vulgar fraction gets a space before it: 3½ is 3 1/2.
constexpr std::array<Spelling, 49> kSigns{{
    {"−", "-"},      {"–", "-"},         {"‐", "-"},      {"‑", "-"},        {"﹣", "-"},
    {"×", "*"},      {"·", "*"},         {"⋅", "*"},      {"÷", "/"},        {"⁄", "/"},
    {"∕", "/"},      {"½", " 1/2"},      {"⅓", " 1/3"},   {"⅔", " 2/3"},     {"¼", " 1/4"},
    {"¾", " 3/4"},   {"⅕", " 1/5"},      {"⅖", " 2/5"},   {"⅗", " 3/5"},     {"⅘", " 4/5"},
    {"⅙", " 1/6"},   {"⅚", " 5/6"},      {"⅛", " 1/8"},   {"⅜", " 3/8"},     {"⅝", " 5/8"},
    {"⅞", " 7/8"},   {"\u00a0", " "},    {"\u2007", " "}, {"\u2009", " "},   {"\u202f", " "},
    {"\u3000", " "}, {"\u200b", ""},     {"\ufeff", ""},  {"‘", "'"},        {"’", "'"},
    {"“", "\""},     {"”", "\""},        {"º", "°"},      {"≤", "\\le "},    {"≥", "\\ge "},
    {"≠", "\\ne "},  {"≈", "\\approx "}, {"π", "\\pi "},  {"∞", "\\infty "}, {"±", "\\pm "},
    {"≦", "\\le "},  {"≧", "\\ge "},     {"⩽", "\\le "},  {"⩾", "\\ge "},
}};

constexpr std::array<Spelling, 12> kSuperscripts{{{"⁰", "0"},
                                                  {"¹", "1"},
                                                  {"²", "2"},
                                                  {"³", "3"},
                                                  {"⁴", "4"},
                                                  {"⁵", "5"},
                                                  {"⁶", "6"},
                                                  {"⁷", "7"},
                                                  {"⁸", "8"},
                                                  {"⁹", "9"},
                                                  {"⁻", "-"},
                                                  {"⁺", "+"}}};

template <std::size_t N>
const Spelling* starting(std::string_view text, const std::array<Spelling, N>& spellings) {
  const auto found = std::find_if(spellings.begin(), spellings.end(),
                                  [&](const Spelling& s) { return text.starts_with(s.from); });
  return found == spellings.end() ? nullptr : &*found;
}

// U+FF01..U+FF5E, the fullwidth forms, are ASCII 0x21..0x7E shifted; 0 when `text` does not begin
// with one.
char fullwidth(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xef') return '\0';
  const unsigned second = static_cast<unsigned char>(text[1]),
                 third = static_cast<unsigned char>(text[2]);
  if ((second != 0xbc && second != 0xbd) || third < 0x80 || third > 0xbf) return '\0';
  const unsigned code = (second - 0xbc) * 64 + (third - 0x80);  // offset from U+FF00
  return code >= 1 && code <= 0x5e ? static_cast<char>(code + 0x20) : '\0';
}

class Simplifier {
 public:
  explicit Simplifier(std::string_view text) : text_(text) { out_.reserve(text.size() + 8); }

  std::string run() {
    while (at_ < text_.size()) step();
    return finish();
  }

 private:
  enum class Group : std::uint8_t { braces, text, dropped };

  void step() {
    const char c = text_[at_];
    const std::string_view rest = text_.substr(at_);
    if (c == '\\') return command();
    if (is_multibyte(c)) return multibyte();
    if (c == '{' && braced_comma()) return;
    if (rest.starts_with("^\\circ") && !is_alpha(char_at(rest, 6))) return emit("°", 6);
    if (rest.starts_with("^{\\circ}")) return emit("°", 8);
    if (c == '{') return open(Group::braces, 1);
    if (c == '}') return close();
    if (is_space(c) || is_control(c) || c == '~') return emit(" ", 1);
    emit(rest.substr(0, 1), 1);
  }

  void emit(std::string_view what, std::size_t taken) {
    for (const char c : what) {
      if (c != ' ' || (!out_.empty() && out_.back() != ' ')) out_ += c;
    }
    at_ += taken;
  }

  // {,} stands between digits without the space of a list; models write { , } too.
  bool braced_comma() {
    std::size_t end = at_ + 1;
    const auto skip = [&] {
      while (is_space(char_at(text_, end))) ++end;
    };
    skip();
    if (char_at(text_, end) != ',') return false;
    ++end;
    skip();
    if (char_at(text_, end) != '}') return false;
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    emit(",", end + 1 - at_);
    skip_spaces();
    return true;
  }

  void open(Group group, std::size_t taken) {
    groups_.push_back(group);
    at_ += taken;
    if (group == Group::braces) out_ += '{';
    if (group == Group::text) out_ += kTextMark;
  }

  void close() {
    const Group group = groups_.empty() ? Group::braces : groups_.back();
    if (!groups_.empty()) groups_.pop_back();
    if (group == Group::text) {
      while (!out_.empty() && out_.back() == ' ') out_.pop_back();
      out_ += kTextMark;
    }
    if (group == Group::braces) out_ += '}';
    ++at_;
  }

  void skip_spaces() {
    while (is_space(char_at(text_, at_))) ++at_;
  }

  void command() {
    const char next = char_at(text_, at_ + 1);
    if (is_alpha(next)) return named_command();
    switch (next) {
      case '!':  // a negative space: 32,\! 349 is 32,349
        at_ += 2;
        return skip_spaces();
      case ',':
      case ';':
      case ':':
      case ' ':
      case '\n':
        return emit(" ", 2);
      case '(':
      case ')':
      case '[':
      case ']':  // math delimiters
        return emit(" ", 2);
      case '$':
      case '%':
      case '#':
      case '&':
      case '_':
        return emit(text_.substr(at_ + 1, 1), 2);
      case '{':
      case '}':
      case '\\':
      case '|':
        return emit(text_.substr(at_, 2), 2);
      default:
        return emit("\\", 1);
    }
  }

  void named_command() {
    std::size_t end = at_ + 1;
    while (is_alpha(char_at(text_, end))) ++end;
    const std::string_view whole = text_.substr(at_, end - at_), name = whole.substr(1);
    std::size_t argument = end;
    while (is_space(char_at(text_, argument))) ++argument;
    const bool braced = char_at(text_, argument) == '{';
    if (one_of(name, kTextCommands)) {
      at_ = end;
      if (braced) open(Group::text, argument + 1 - end);
    } else if (name == "boxed" || name == "fbox") {
      at_ = end;
      if (braced) open(Group::dropped, argument + 1 - end);
    } else if (one_of(name, kFractions)) {
      emit("\\frac", name.size() + 1);
    } else if (one_of(name, kSizes)) {
      at_ = end + (name == "left" || name == "right" ? char_at(text_, end) == '.' : 0);
    } else if (one_of(name, kSpaces)) {
      emit(" ", name.size() + 1);
    } else {
      const auto found = std::find_if(kCommandSpellings.begin(), kCommandSpellings.end(),
                                      [&](const Spelling& s) { return s.from == name; });
      emit(found == kCommandSpellings.end() ? whole : found->to, whole.size());
    }
  }

  void multibyte() {
    const std::string_view rest = text_.substr(at_);
    // No sign above begins with another byte: most scripts pass here.
    if (std::string_view("\xc2\xc3\xcf\xe2\xe3\xef").find(rest[0]) == std::string_view::npos) {
      return emit(rest.substr(0, 1), 1);
    }
    if (const char ascii = fullwidth(rest)) return emit(std::string_view(&ascii, 1), 3);
    if (starting(rest, kSuperscripts) != nullptr) return superscripts();
    if (const Spelling* sign = starting(rest, kSigns)) return emit(sign->to, sign->from.size());
    emit(rest.substr(0, 1), 1);
  }

  void superscripts() {
    emit("^{", 0);
    while (const Spelling* sign = starting(text_.substr(at_), kSuperscripts)) {
      emit(sign->to, sign->from.size());
    }
    emit("}", 0);
  }

  std::string finish() {
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    return std::move(out_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<Group> groups_;
};

struct Wrapper {
  std::string_view open, close;
};

// Longer ones first: $$ before $, ** before *.
constexpr std::array<Wrapper, 11> kWrappers{{{"$$", "$$"},
                                             {"$", "$"},
                                             {"\\(", "\\)"},
                                             {"\\[", "\\]"},
                                             {"***", "***"},
                                             {"**", "**"},
                                             {"*", "*"},
                                             {"`", "`"},
                                             {"\"", "\""},
                                             {"'", "'"},
                                             {"“", "”"}}};

// Without the pair of marks around it, when the closing mark is not already used inside: `$a$ or
// $b$` stays.
std::string_view without_pair(std::string_view text) {
  for (const Wrapper& wrapper : kWrappers) {
    if (text.size() <= wrapper.open.size() + wrapper.close.size()) continue;
    if (!text.starts_with(wrapper.open) || !text.ends_with(wrapper.close)) continue;
    const std::string_view inside =
        text.substr(wrapper.open.size(), text.size() - wrapper.open.size() - wrapper.close.size());
    if (inside.ends_with('\\') || inside.find(wrapper.close) != std::string_view::npos) continue;
    return inside;
  }
  return text;
}

// Without a sentence mark at the end. `!` may be a factorial and `?` an unknown, so these go only
// after a word; a colon, comma or semicolon at the end never means anything.
std::string_view without_sentence_mark(std::string_view text) {
  if (text.size() < 2) return text;
  const char last = text.back(), before = text[text.size() - 2];
  if (last == '.' || last == ',' || last == ';' || last == ':') {
    if (before == '\\') return text;  // a LaTeX space
    return text.substr(0, text.size() - 1);
  }
  const bool after_word = text.size() > 2 && is_alpha(before) && is_alpha(text[text.size() - 3]);
  return (last == '!' || last == '?') && after_word ? text.substr(0, text.size() - 1) : text;
}

}  // namespace

std::string_view unwrap(std::string_view text) {
  text = trim(text);
  for (int round = 0; round < kMaxWrappers; ++round) {
    const std::string_view inner = trim(without_sentence_mark(without_pair(text)));
    if (inner.size() == text.size()) break;
    text = inner;
  }
  return text;
}

std::string simplify(std::string_view text) { return Simplifier(text).run(); }

}  // namespace orchestrator
