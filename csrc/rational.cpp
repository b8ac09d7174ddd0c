#include "rational.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace orchestrator {
namespace {

constexpr std::uint32_t kBase = 1'000'000'000;
constexpr std::size_t kBaseDigits = 9;

std::optional<std::uint64_t> product(std::optional<std::uint64_t> a, std::uint64_t b) {
  std::uint64_t out = 0;
  if (!a || __builtin_mul_overflow(*a, b, &out)) return std::nullopt;
  return out;
}

std::optional<std::uint64_t> small_power(std::uint64_t base, std::uint64_t exponent) {
  std::optional<std::uint64_t> out = 1;
  for (; exponent > 0 && out; --exponent) out = product(out, base);
  return out;
}

// The largest natural whose n-th power is at most `a`, for n >= 2.
Natural floor_root(const Natural& a, std::uint64_t n) {
  // Newton's iteration from above falls until it is there.
  Natural root = Natural::power_of_ten((a.digits() + n - 1) / n);
  const Natural index{n}, others{n - 1};
  while (true) {
    const std::optional<Natural> rest = raised(root, n - 1);
    // Past the limit the power is larger than `a`: a step then only divides by n/(n-1).
    const Natural quotient = rest ? divide(a, *rest).first : Natural{};
    Natural next = divide(others * root + quotient, index).first;
    if (!(next < root)) return root;
    root = std::move(next);
  }
}

}  // namespace

Natural::Natural(std::uint64_t value) {
  if (value != 0) limbs_.reserve(value < kBase ? 1 : 3);
  for (; value != 0; value /= kBase) limbs_.push_back(static_cast<std::uint32_t>(value % kBase));
}

Natural Natural::parse(std::string_view digits) {
  Natural out;
  out.limbs_.reserve(digits.size() / kBaseDigits + 1);
  while (!digits.empty()) {
    const std::size_t take = std::min(kBaseDigits, digits.size());
    std::uint32_t limb = 0;
    for (const char c : digits.substr(digits.size() - take)) {
      limb = limb * 10 + static_cast<std::uint32_t>(c - '0');
    }
    out.limbs_.push_back(limb);
    digits.remove_suffix(take);
  }
  out.trim();
  return out;
}

Natural Natural::power_of_ten(std::size_t exponent) {
  Natural out;
  out.limbs_.assign(exponent / kBaseDigits, 0);
  std::uint32_t top = 1;
  for (std::size_t i = 0; i < exponent % kBaseDigits; ++i) top *= 10;
  out.limbs_.push_back(top);
  return out;
}

void Natural::trim() {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
}

std::uint64_t Natural::low64() const {
  std::uint64_t value = 0;
  for (auto limb = limbs_.rbegin(); limb != limbs_.rend(); ++limb) value = value * kBase + *limb;
  return value;
}

std::size_t Natural::digits() const {
  if (limbs_.empty()) return 1;
  std::size_t out = (limbs_.size() - 1) * kBaseDigits;
  for (std::uint32_t top = limbs_.back(); top != 0; top /= 10) ++out;
  return out;
}

std::optional<std::uint64_t> Natural::small() const {
  if (!fits64()) return std::nullopt;
  return low64();
}

std::string Natural::str() const {
  if (limbs_.empty()) return "0";
  std::string out = std::to_string(limbs_.back());
  for (auto limb = limbs_.rbegin() + 1; limb != limbs_.rend(); ++limb) {
    const std::string part = std::to_string(*limb);
    out.append(kBaseDigits - part.size(), '0').append(part);
  }
  return out;
}

std::strong_ordering operator<=>(const Natural& a, const Natural& b) {
  if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() <=> b.limbs_.size();
  return std::lexicographical_compare_three_way(a.limbs_.rbegin(), a.limbs_.rend(),
                                                b.limbs_.rbegin(), b.limbs_.rend());
}

Natural operator+(const Natural& a, const Natural& b) {
  Natural out;
  std::uint32_t carry = 0;
  for (std::size_t i = 0; i < std::max(a.limbs_.size(), b.limbs_.size()) || carry != 0; ++i) {
    std::uint32_t sum = carry;
    if (i < a.limbs_.size()) sum += a.limbs_[i];
    if (i < b.limbs_.size()) sum += b.limbs_[i];
    carry = sum >= kBase ? 1 : 0;
    out.limbs_.push_back(sum - carry * kBase);
  }
  return out;
}

Natural operator-(const Natural& a, const Natural& b) {
  if (a < b)
    throw std::invalid_argument("difference of naturals is negative: " + a.str() + " - " + b.str());
  Natural out = a;
  std::uint32_t borrow = 0;
  for (std::size_t i = 0; i < out.limbs_.size(); ++i) {
    const std::uint32_t subtrahend = borrow + (i < b.limbs_.size() ? b.limbs_[i] : 0);
    borrow = out.limbs_[i] < subtrahend ? 1 : 0;
    out.limbs_[i] = out.limbs_[i] + borrow * kBase - subtrahend;
  }
  out.trim();
  return out;
}

Natural operator*(const Natural& a, const Natural& b) {
  Natural out;
  out.limbs_.assign(a.limbs_.size() + b.limbs_.size(), 0);
  for (std::size_t i = 0; i < a.limbs_.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < b.limbs_.size() || carry != 0; ++j) {
      std::uint64_t sum = out.limbs_[i + j] + carry;
      if (j < b.limbs_.size()) sum += std::uint64_t{a.limbs_[i]} * b.limbs_[j];
      out.limbs_[i + j] = static_cast<std::uint32_t>(sum % kBase);
      carry = sum / kBase;
    }
  }
  out.trim();
  return out;
}

std::pair<Natural, Natural> divide(const Natural& a, const Natural& b) {
  if (b.is_zero()) throw std::invalid_argument("division of " + a.str() + " by zero");
  if (a < b) return {Natural{}, a};
  Natural quotient, remainder;
  if (b.limbs_.size() == 1) {
    quotient.limbs_.assign(a.limbs_.size(), 0);
    std::uint64_t rest = 0;
    for (std::size_t i = a.limbs_.size(); i-- > 0;) {
      const std::uint64_t part = rest * kBase + a.limbs_[i];
      quotient.limbs_[i] = static_cast<std::uint32_t>(part / b.limbs_[0]);
      rest = part % b.limbs_[0];
    }
    quotient.trim();
    return {quotient, Natural{rest}};
  }
  // Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D. Scaling both so that the
  // divisor's top limb is at least half of the base keeps each estimated quotient limb at most two
  // too large.
  const std::uint32_t scale = kBase / (b.limbs_.back() + 1);
  const Natural divisor = b * Natural{scale};
  Natural rest = a * Natural{scale};
  const std::size_t n = divisor.limbs_.size();
  rest.limbs_.resize(std::max(rest.limbs_.size(), a.limbs_.size() + 1), 0);
  const std::size_t m = rest.limbs_.size() - n;
  quotient.limbs_.assign(m, 0);
  const std::uint64_t top = divisor.limbs_[n - 1], second = divisor.limbs_[n - 2];
  for (std::size_t j = m; j-- > 0;) {
    const std::uint64_t head = std::uint64_t{rest.limbs_[j + n]} * kBase + rest.limbs_[j + n - 1];
    std::uint64_t guess = head / top, over = head % top;
    while (guess >= kBase || guess * second > over * kBase + rest.limbs_[j + n - 2]) {
      --guess;
      over += top;
      if (over >= kBase) break;
    }
    std::int64_t borrow = 0;
    for (std::size_t i = 0; i <= n; ++i) {
      const std::int64_t product = i < n ? static_cast<std::int64_t>(guess * divisor.limbs_[i]) : 0;
      std::int64_t limb = std::int64_t{rest.limbs_[i + j]} - product + borrow;
      borrow = limb / kBase;
      limb %= kBase;
      if (limb < 0) limb += kBase, --borrow;
      rest.limbs_[i + j] = static_cast<std::uint32_t>(limb);
    }
    if (borrow < 0) {  // the guess was one too large: add the divisor back
      --guess;
      std::uint32_t carry = 0;
      for (std::size_t i = 0; i <= n; ++i) {
        std::uint32_t sum = rest.limbs_[i + j] + carry + (i < n ? divisor.limbs_[i] : 0);
        carry = sum >= kBase ? 1 : 0;
        rest.limbs_[i + j] = sum - carry * kBase;
      }
    }
    quotient.limbs_[j] = static_cast<std::uint32_t>(guess);
  }
  quotient.trim();
  rest.trim();
  return {quotient, divide(rest, Natural{scale}).first};
}

Natural gcd(Natural a, Natural b) {
  while (!b.is_zero()) {
    if (a.fits64() && b.fits64()) return Natural{std::gcd(a.low64(), b.low64())};
    a = divide(a, b).second;
    std::swap(a, b);
  }
  return a;
}

std::optional<Natural> raised(const Natural& base, std::uint64_t exponent) {
  if (exponent == 0 || base.is_one()) return Natural{1};
  if (base.is_zero()) return base;
  // A number of d digits is at least 10^(d-1), and 2 is at least 10^0.3.
  if (exponent > 4 * kMaxDigits || (base.digits() - 1) * exponent > kMaxDigits) return std::nullopt;
  Natural out{1}, square = base;
  for (;; exponent /= 2) {
    if (exponent % 2 == 1) out = out * square;
    if (exponent <= 1) break;
    square = square * square;
    if (square.digits() > kMaxDigits) return std::nullopt;
  }
  if (out.digits() > kMaxDigits) return std::nullopt;
  return out;
}

std::optional<Natural> exact_root(const Natural& a, std::uint64_t n) {
  if (n == 0) throw std::invalid_argument("root of " + a.str() + " with index 0");
  if (n == 1 || a.is_zero() || a.is_one()) return a;
  if (n > 4 * kMaxDigits) return std::nullopt;  // 2^n is already larger
  if (const auto value = a.small()) {
    const double root =
        std::round(std::pow(static_cast<double>(*value), 1.0 / static_cast<double>(n)));
    const auto candidate = static_cast<std::uint64_t>(root);
    if (candidate < 2 || small_power(candidate, n) != value) return std::nullopt;
    return Natural{candidate};
  }
  Natural root = floor_root(a, n);
  if (raised(root, n) != a) return std::nullopt;
  return root;
}

Rational::Rational(bool negative, const Natural& numerator, const Natural& denominator)
    : negative_(negative && !numerator.is_zero()),
      numerator_(numerator),
      denominator_(denominator) {
  if (denominator.is_zero())
    throw std::invalid_argument("denominator of " + numerator.str() + "/0 is zero");
  const Natural common = gcd(numerator, denominator);
  if (common != Natural{1}) {
    numerator_ = divide(numerator, common).first;
    denominator_ = divide(denominator, common).first;
  }
}

Rational::Rational(std::int64_t value)
    : negative_(value < 0),
      numerator_(value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                           : static_cast<std::uint64_t>(value)),
      denominator_(1) {}

Rational::Rational(Reduced, bool negative, Natural numerator, Natural denominator)
    : negative_(negative && !numerator.is_zero()),
      numerator_(std::move(numerator)),
      denominator_(std::move(denominator)) {}

Rational Rational::of_small(bool negative, std::uint64_t numerator, std::uint64_t denominator) {
  const std::uint64_t common = std::gcd(numerator, denominator);
  return {Reduced{}, negative, Natural{numerator / common}, Natural{denominator / common}};
}

Rational Rational::negated() const { return {Reduced{}, !negative_, numerator_, denominator_}; }

std::optional<std::int64_t> Rational::small_integer() const {
  const auto size = numerator_.small();
  if (!is_integer() || !size) return std::nullopt;
  const auto value = static_cast<std::int64_t>(*size);
  return negative_ ? -value : value;
}

bool Rational::within_limits() const {
  return numerator_.digits() <= kMaxDigits && denominator_.digits() <= kMaxDigits;
}

std::string Rational::str() const {
  std::string out = negative_ ? "-" : "";
  out += numerator_.str();
  if (denominator_ != Natural{1}) out.append("/").append(denominator_.str());
  return out;
}

// The products of parts below 10^9, and the sum of two such products, fit 64 bits.
Rational operator+(const Rational& a, const Rational& b) {
  if (a.is_short() && b.is_short()) {
    const std::uint64_t p = a.numerator_.low64(), q = a.denominator_.low64();
    const std::uint64_t r = b.numerator_.low64(), s = b.denominator_.low64();
    const std::uint64_t left = p * s, right = r * q;
    if (a.negative_ == b.negative_) return Rational::of_small(a.negative_, left + right, q * s);
    return left < right ? Rational::of_small(b.negative_, right - left, q * s)
                        : Rational::of_small(a.negative_, left - right, q * s);
  }
  const Natural left = a.numerator_ * b.denominator_, right = b.numerator_ * a.denominator_;
  const Natural denominator = a.denominator_ * b.denominator_;
  if (a.negative_ == b.negative_) return {a.negative_, left + right, denominator};
  return left < right ? Rational{b.negative_, right - left, denominator}
                      : Rational{a.negative_, left - right, denominator};
}

Rational operator*(const Rational& a, const Rational& b) {
  const bool negative = a.negative_ != b.negative_;
  if (a.is_short() && b.is_short()) {
    return Rational::of_small(negative, a.numerator_.low64() * b.numerator_.low64(),
                              a.denominator_.low64() * b.denominator_.low64());
  }
  return {negative, a.numerator_ * b.numerator_, a.denominator_ * b.denominator_};
}

std::optional<Rational> operator/(const Rational& a, const Rational& b) {
  if (b.numerator_.is_zero()) return std::nullopt;
  const bool negative = a.negative_ != b.negative_;
  if (a.is_short() && b.is_short()) {
    return Rational::of_small(negative, a.numerator_.low64() * b.denominator_.low64(),
                              a.denominator_.low64() * b.numerator_.low64());
  }
  return Rational{negative, a.numerator_ * b.denominator_, a.denominator_ * b.numerator_};
}

std::strong_ordering operator<=>(const Rational& a, const Rational& b) {
  if (a.negative_ != b.negative_) {
    return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  const auto sizes = a.numerator_ * b.denominator_ <=> b.numerator_ * a.denominator_;
  return a.negative_ ? 0 <=> sizes : sizes;
}

Rational floor(const Rational& a) {
  if (a.is_integer()) return a;
  const Natural whole = divide(a.numerator(), a.denominator()).first;
  return {a.negative(), a.negative() ? whole + Natural{1} : whole, Natural{1}};
}

std::optional<Rational> raised(const Rational& base, std::int64_t exponent) {
  if (base.is_zero() && exponent <= 0) return std::nullopt;
  const std::uint64_t size = exponent < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(exponent)
                                          : static_cast<std::uint64_t>(exponent);
  auto numerator = raised(base.numerator(), size), denominator = raised(base.denominator(), size);
  if (!numerator || !denominator) return std::nullopt;
  if (exponent < 0) std::swap(numerator, denominator);
  return Rational{base.negative() && size % 2 == 1, *numerator, *denominator};
}

std::optional<Rational> exact_root(const Rational& a, std::uint64_t n) {
  if (a.negative() && n % 2 == 0 && n != 0) return std::nullopt;
  const auto numerator = exact_root(a.numerator(), n);
  if (!numerator) return std::nullopt;
  const auto denominator = exact_root(a.denominator(), n);
  if (!denominator) return std::nullopt;
  return Rational{a.negative(), *numerator, *denominator};
}

Decimal Decimal::of(std::string_view whole, std::string_view fraction, std::int64_t exponent) {
  Decimal out;
  out.digits.reserve(whole.size() + fraction.size());
  out.digits.append(whole).append(fraction);
  const std::size_t first = out.digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal{};
  const std::size_t last = out.digits.find_last_not_of('0');
  out.exponent = exponent - static_cast<std::int64_t>(fraction.size()) +
                 static_cast<std::int64_t>(out.digits.size() - 1 - last);
  out.digits = out.digits.substr(first, last - first + 1);
  return out;
}

Decimal Decimal::shifted(std::int64_t places) const {
  Decimal out = *this;
  if (!out.digits.empty()) out.exponent += places;
  return out;
}

std::optional<Rational> Decimal::rational() const {
  const auto places = static_cast<std::size_t>(exponent < 0 ? -exponent : exponent);
  if (places > kMaxDigits || digits.size() + places > kMaxDigits) return std::nullopt;
  const Natural power = Natural::power_of_ten(places);
  if (exponent >= 0) return Rational{negative, Natural::parse(digits) * power, Natural{1}};
  return Rational{negative, Natural::parse(digits), power};
}

std::string Decimal::str() const {
  if (digits.empty()) return "0";
  std::string out = negative ? "-" : "";
  const auto places = static_cast<std::size_t>(exponent < 0 ? -exponent : exponent);
  if (places > kMaxDigits || digits.size() + places > kMaxDigits) {
    return out.append(digits).append("e").append(std::to_string(exponent));
  }
  if (exponent >= 0) return out.append(digits).append(places, '0');
  return rational()->str();
}

}  // namespace orchestrator
