#include "answers/number_words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "answers/latex.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxWord = 14;      // letters; the longest word of the table has 12
constexpr std::size_t kMaxDigits64 = 15;  // digits that are read into 64 bits
constexpr std::size_t kMaxPlaces = 18;    // digit words after "point"

enum class Class : std::uint8_t { small, tens, hundred, large, half, quarter, dozen, other };

struct Word {
  std::string_view text;     // a cardinal's, in lower case
  std::string_view ordinal;  // the same as an ordinal; a part of a whole in the singular
  Class type;
  std::uint64_t value;
};

constexpr std::uint64_t kTrillion = 1'000'000'000'000;

constexpr std::array<Word, 36> kWords{{
    {"zero", "zeroth", Class::small, 0},
    {"one", "first", Class::small, 1},
    {"two", "second", Class::small, 2},
    {"three", "third", Class::small, 3},
    {"four", "fourth", Class::small, 4},
    {"five", "fifth", Class::small, 5},
    {"six", "sixth", Class::small, 6},
    {"seven", "seventh", Class::small, 7},
    {"eight", "eighth", Class::small, 8},
    {"nine", "ninth", Class::small, 9},
    {"ten", "tenth", Class::small, 10},
    {"eleven", "eleventh", Class::small, 11},
    {"twelve", "twelfth", Class::small, 12},
    {"thirteen", "thirteenth", Class::small, 13},
    {"fourteen", "fourteenth", Class::small, 14},
    {"fifteen", "fifteenth", Class::small, 15},
    {"sixteen", "sixteenth", Class::small, 16},
    {"seventeen", "seventeenth", Class::small, 17},
    {"eighteen", "eighteenth", Class::small, 18},
    {"nineteen", "nineteenth", Class::small, 19},
    {"twenty", "twentieth", Class::tens, 20},
    {"thirty", "thirtieth", Class::tens, 30},
    {"forty", "fortieth", Class::tens, 40},
    {"fifty", "fiftieth", Class::tens, 50},
    {"sixty", "sixtieth", Class::tens, 60},
    {"seventy", "seventieth", Class::tens, 70},
    {"eighty", "eightieth", Class::tens, 80},
    {"ninety", "ninetieth", Class::tens, 90},
    {"hundred", "hundredth", Class::hundred, 100},
    {"thousand", "thousandth", Class::large, 1'000},
    {"million", "millionth", Class::large, 1'000'000},
    {"billion", "billionth", Class::large, 1'000'000'000},
    {"trillion", "trillionth", Class::large, kTrillion},
    {"half", "half", Class::half, 2},
    {"quarter", "quarter", Class::quarter, 4},
    {"dozen", "dozen", Class::dozen, 12},
}};

// One word of a text, in lower case.
struct Token {
  std::array<char, kMaxWord> letters{};
  std::size_t size = 0;
  std::size_t end = 0;  // in the text

  std::string_view text() const { return {letters.data(), size}; }
};

Rational whole(std::uint64_t value) { return Rational{false, Natural{value}, Natural{1}}; }

Rational ratio(std::uint64_t above, std::uint64_t below) {
  return Rational{false, Natural{above}, Natural{below}};
}

const Word* cardinal_word(std::string_view word) {
  const auto found = std::find_if(kWords.begin(), kWords.end(),
                                  [&](const Word& entry) { return entry.text == word; });
  return found == kWords.end() ? nullptr : &*found;
}

const Word* ordinal_word(std::string_view word) {
  const auto found = std::find_if(kWords.begin(), kWords.end(),
                                  [&](const Word& entry) { return entry.ordinal == word; });
  return found == kWords.end() || found->type >= Class::half ? nullptr : &*found;
}

// What a whole is divided into: 3 for "third", 2 for "half"; the plural when `plural`. 0 when the
// word names no part. Seconds are no halves, and nothing is divided into firsts.
std::uint64_t parts(std::string_view word, bool plural) {
  if (plural) {
    if (word == "halves") return 2;
    if (!word.ends_with('s')) return 0;
    word.remove_suffix(1);
  }
  if (word == "half") return plural ? 0 : 2;
  if (word == "quarter") return 4;
  const Word* ordinal = ordinal_word(word);
  return ordinal == nullptr || ordinal->value < 3 ? 0 : ordinal->value;
}

// A cardinal in words is read up to the last word that continues it.
class WordReader {
 public:
  WordReader(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  std::size_t at() const { return at_; }
  bool at_digit() const { return is_digit(char_at(text_, at_)); }

  // The next word, past one space or hyphen unless it is the first; none at the end, before another
  // sign, or when it is longer than any word of a number.
  std::optional<Token> peek() const {
    std::size_t at = at_;
    if (at > 0 && is_alnum(char_at(text_, at - 1))) {
      if (char_at(text_, at) == ',' && after_large_) ++at;
      if (char_at(text_, at) != ' ' && char_at(text_, at) != '-') return std::nullopt;
      ++at;
    }
    Token token;
    for (; is_alpha(char_at(text_, at)); ++at) {
      if (token.size == kMaxWord) return std::nullopt;
      token.letters[token.size++] = to_lower(text_[at]);
    }
    if (token.size == 0 || is_digit(char_at(text_, at))) return std::nullopt;
    token.end = at;
    return token;
  }

  void take(const Token& token) { at_ = token.end; }

  bool take_word(std::string_view word) {
    const auto token = peek();
    if (!token || token->text() != word) return false;
    take(*token);
    return true;
  }

  bool take_article() { return take_word("a") || take_word("an"); }

  // A cardinal; with `ordinal`, one whose last word is an ordinal.
  std::optional<std::uint64_t> cardinal(bool ordinal = false) {
    const std::size_t start = at_;
    total_ = group_ = 0;
    last_large_ = 10 * kTrillion;
    last_ = nullptr;
    bool ended = false;
    if (!ordinal && is_digit(char_at(text_, at_))) return in_digits();
    while (auto token = peek()) {
      bool joined = false;
      const std::size_t before = at_;
      if (token->text() == "and" && last_ != nullptr && last_->type >= Class::hundred) {
        take(*token);
        joined = true;
        token = peek();
      }
      const Word* word = token ? cardinal_word(token->text()) : nullptr;
      if (word == nullptr && ordinal && token) {
        word = ordinal_word(token->text());
        ended = word != nullptr;
      }
      // "one hundredth" is a part of one as well as the place after the 99th.
      const bool part = ended && word->type >= Class::hundred && total_ == 0 && group_ == 1;
      if (word == nullptr || part || !continues(*word, joined)) {
        at_ = before;
        ended = false;
        break;
      }
      take(*token);
      last_ = word;
      after_large_ = word->type == Class::large;
      if (ended) break;
    }
    after_large_ = false;
    if (last_ == nullptr || (ordinal && !ended)) {
      at_ = start;
      return std::nullopt;
    }
    return total_ + group_;
  }

  // Whether the cardinal just read ends in "hundred" or a larger word, or is "one".
  bool ends_large() const { return last_ != nullptr && last_->type >= Class::hundred; }

 private:
  std::optional<std::uint64_t> in_digits() {
    std::uint64_t value = 0;
    std::size_t end = at_;
    for (; is_digit(char_at(text_, end)); ++end) {
      if (end - at_ == kMaxDigits64) return std::nullopt;
      value = value * 10 + static_cast<std::uint64_t>(text_[end] - '0');
    }
    at_ = end;
    return value;
  }

  // Adds `word` to the cardinal if it can follow what was read.
  bool continues(const Word& word, bool joined) {
    const bool first = last_ == nullptr;
    switch (word.type) {
      case Class::small: {
        const bool unit_after_tens =
            !first && last_->type == Class::tens && word.value >= 1 && word.value <= 9;
        const bool fresh = first || last_->type >= Class::hundred;
        if ((!fresh && !unit_after_tens) || (word.value == 0 && !first)) return false;
        group_ += word.value;
        return true;
      }
      case Class::tens:
        if (!first && last_->type < Class::hundred) return false;
        group_ += word.value;
        return true;
      case Class::hundred:
        // "twelve hundred", but not "twenty hundred"
        if (joined || group_ >= 100 || (!first && group_ % 10 == 0)) return false;
        group_ = first ? 100 : group_ * 100;
        return true;
      case Class::large:
        if (joined || word.value >= last_large_ || (!first && group_ == 0) || group_ >= 1000)
          return false;
        total_ += (first ? 1 : group_) * word.value;
        group_ = 0;
        last_large_ = word.value;
        return true;
      default:
        return false;
    }
  }

  std::string_view text_;
  std::size_t at_;
  std::uint64_t total_ = 0, group_ = 0, last_large_ = 0;
  const Word* last_ = nullptr;
  bool after_large_ = false;  // a comma may follow: "one thousand, two hundred"
};

// "a half", "one third", "three quarters".
std::optional<Rational> fraction(WordReader& reader) {
  WordReader ahead = reader;
  const bool article = ahead.take_article();
  const auto count = article ? std::optional<std::uint64_t>(1) : ahead.cardinal();
  const auto token = count ? ahead.peek() : std::nullopt;
  if (!token) return std::nullopt;
  const std::uint64_t below = parts(token->text(), *count != 1);
  // "one hundredth" is also the ordinal of 100, and "two hundred thousandths" two things.
  const bool large = below >= 100 && (ahead.ends_large() || (*count == 1 && !article));
  if (below == 0 || large) return std::nullopt;
  ahead.take(*token);
  reader = ahead;
  return ratio(*count, below);
}

// "point one four" after a cardinal.
std::optional<Rational> places(WordReader& reader) {
  WordReader ahead = reader;
  if (!ahead.take_word("point")) return std::nullopt;
  std::string digits;
  while (const auto token = ahead.peek()) {
    const Word* word = cardinal_word(token->text());
    if (word == nullptr || word->type != Class::small || word->value > 9) break;
    if (digits.size() == kMaxPlaces) return std::nullopt;
    digits += static_cast<char>('0' + word->value);
    ahead.take(*token);
  }
  if (digits.empty()) return std::nullopt;
  reader = ahead;
  return Rational{false, Natural::parse(digits), Natural::power_of_ten(digits.size())};
}

std::optional<Rational> size(WordReader& reader) {
  if (auto value = fraction(reader)) return value;
  if (reader.take_word("half")) {
    WordReader ahead = reader;
    if (!ahead.take_word("a") || !ahead.take_word("dozen")) return ratio(1, 2);
    reader = ahead;
    return whole(6);
  }
  WordReader ahead = reader;
  const bool article = ahead.take_article();
  if (ahead.take_word("dozen")) return reader = ahead, whole(12);
  const auto token = ahead.peek();
  const Word* next = token ? cardinal_word(token->text()) : nullptr;
  if (article && (next == nullptr || next->type < Class::hundred)) return std::nullopt;
  const auto count = ahead.cardinal();
  if (!count) return std::nullopt;
  reader = ahead;
  if (reader.take_word("dozen")) return whole(*count) * whole(12);
  if (const auto part = places(reader)) return whole(*count) + *part;
  if (ahead.take_word("and")) {
    if (const auto part = fraction(ahead); part && part->numerator() < part->denominator()) {
      reader = ahead;
      return whole(*count) + *part;
    }
  }
  return whole(*count);
}

// A look at the first word, which most answers do not pass.
bool begins_number(const WordReader& reader) {
  const auto token = reader.peek();
  if (!token) return reader.at_digit();
  const std::string_view word = token->text();
  return word == "a" || word == "an" || word == "minus" || word == "negative" ||
         cardinal_word(word) != nullptr;
}

bool ends_word(std::string_view text, std::size_t at) {
  return !is_alnum(char_at(text, at)) && char_at(text, at) != '\'';
}

// st, nd, rd or th, as the last digits ask for.
std::string_view suffix_of(std::string_view digits) {
  const char last = digits.back();
  const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
  if (!teen && last == '1') return "st";
  if (!teen && last == '2') return "nd";
  if (!teen && last == '3') return "rd";
  return "th";
}

std::optional<SpokenNumber> ordinal_in_digits(std::string_view text) {
  std::string digits;
  std::size_t at = 0;
  for (;
       is_digit(char_at(text, at)) || (char_at(text, at) == ',' && is_digit(char_at(text, at + 1)));
       ++at) {
    if (digits.size() > kMaxDigits64) return std::nullopt;
    if (text[at] != ',') digits += text[at];
  }
  if (digits.empty()) return std::nullopt;
  std::size_t marks = 0;  // of "^{\text{rd}}" at most: ^ { mark
  while (marks < 3 &&
         (char_at(text, at) == '^' || char_at(text, at) == '{' || char_at(text, at) == kTextMark))
    ++at, ++marks;
  if (!starts_with_folded(text.substr(at), suffix_of(digits))) return std::nullopt;
  at += 2;
  for (; marks > 0 && (char_at(text, at) == '}' || char_at(text, at) == kTextMark); --marks) ++at;
  if (!ends_word(text, at)) return std::nullopt;
  return SpokenNumber{Rational{false, Natural::parse(digits), Natural{1}}, at};
}

}  // namespace

std::optional<SpokenNumber> read_number_words(std::string_view text) {
  WordReader reader(text, 0);
  if (!begins_number(reader)) return std::nullopt;
  const bool negative = reader.take_word("minus") || reader.take_word("negative");
  const auto value = size(reader);
  if (!value || !ends_word(text, reader.at())) return std::nullopt;
  return SpokenNumber{negative ? value->negated() : *value, reader.at()};
}

bool is_number_word(std::string_view word) {
  return cardinal_word(word) != nullptr || ordinal_word(word) != nullptr || parts(word, true) != 0;
}

std::optional<SpokenNumber> read_ordinal(std::string_view text) {
  if (is_digit(char_at(text, 0))) return ordinal_in_digits(text);
  WordReader reader(text, 0);
  const auto value = reader.cardinal(true);
  if (!value || !ends_word(text, reader.at())) return std::nullopt;
  return SpokenNumber{whole(*value), reader.at()};
}

}  // namespace orchestrator
