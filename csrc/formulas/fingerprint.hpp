// Keys of formulas by evaluation: equal expressions get equal keys, in one pass and without
// comparing pairs.
//
// Schwartz 1980 and Zippel 1979 test the identity of polynomials by their values at random points;
// Gonnet 1984 ("Determining equivalence of expressions in random polynomial time") carries it to
// elementary functions. Here the points are fixed, so that a formula has one key (evaluate.hpp says
// what values are).
//
// Keys. After "n:" a rational number. After "m:"
//
//   #hash            a value that is not known to be rational, at three points; #hash~hash when the
//                    values are too close to those of others (Scalar::fragile): then with residues
//                    in which functions are not looked into; ~hash: residues alone
//   (k,k,...)        a tuple, and the open interval (a, b) and 1 < x < 2: they are written alike
//   [k,k) ...        an interval, closed where it says so and never at infinity (oo, -oo)
//   {k,k,...}        a list or a set, sorted, no key twice, lists within opened. One of one element
//                    is that element. a \pm b is the list of both. A set in a set keeps its
//                    braces; a bare list that writes a value twice in the same way keeps both:
//                    "1, 1, 2" differs from "1, 2" and from \{1, 1, 2\}, and "1/2, 0.5" is 1/2
//   &{k,k,...}       conditions that all hold, |{k,k,...} alternatives, where they are not one
//                    solution: "x:" before a key names what it is about
//   [k mod k]        a class of residues
//   U{k,k,...}       a union, sorted; I{...} an intersection; D(k,k) a difference
//   M2(k,k,...)      a matrix of 2 columns; one of one entry is the entry. A column is neither a
//                    row nor a tuple
//   :(k,k)           a ratio, over its last term: 7:32 = 14:64, and not 7/32
//   t5:paris         a word in a structure, by its length, in lower case
//   =hash  !=hash    an equation, up to a factor and with sides exchanged
//   <hash  <=hash    an inequality, up to a positive factor
//   k<k<=k ...       longer chains, sides in order
//
// What a statement says is its key where it says something (statement.hpp): x = 5 is 5. Linear
// inequalities in one variable are intervals (inequality.hpp). "x = 1, y = 2", of different
// letters, is the tuple of the values by the names' order, (1,2), so that it differs from "x = 2, y
// = 1"; "AB = 4, CD = 5" and "x_1 = 4, x_2 = 5" are lists.
//
// Wrong merges. Two formulas that differ at a point by more than 2^-60 of their value have unlike
// keys but with a probability of 2^-128; closer ones are kept apart when they are fragile. So what
// is left is by construction only: e^{\pi\sqrt{163}} against 262537412640768744 is kept apart as
// one of them is rational, and so is their multiple of x as the number has too many digits.
// Absolute values and even roots of squares are always fragile, since three points show three
// patterns of signs only. Not told apart are formulas that agree for the signs and sizes their
// variables have at the points and differ elsewhere by other means: 2 arctan x and
// arctan(2x/(1 - x^2)) where |x| < 1, or the root of e^2x - 20 e^x + 100 and 10 - e^x.
//
// Wrong splits, which are never an error but a lost vote, remain where
//  - identities hold on a part of the domain that points do not keep to: \ln x^2 = 2 \ln x,
//    \sqrt{x^2} = x, (\sqrt{x})^2 = x at negative points, \sqrt{x^2 y} = x \sqrt{y},
//    \arctan(\tan x) = x, or for integers alone: (-1)^{2n} = 1, \sin n\pi = 0;
//  - the base of \log matters: \log 100 = 2;
//  - a fragile formula needs an identity of roots, functions or absolute values other than
//    |ab| = |a||b|: |2x - 2| = 2|x - 1|;
//  - floors, minima, unknown functions and conjugates of variables have identities of their own;
//  - more than about 28 bits cancel in something that is no rational function of its variables;
//  - equations have the same solutions but are no multiples of each other: x^2 = x, x(x - 1)y = 0.
#pragma once

#include <optional>
#include <string>

#include "formulas/expression.hpp"

namespace orchestrator {

// The canonical key of a formula: "n:1/2" when its value is one exact rational number, else "m:"
// and the fingerprint of its structure and values. None when that cannot be decided (a division by
// zero, a value out of range, too much cancellation), and for a word alone: the answer is then
// compared as it was written.
std::optional<std::string> fingerprint(const Expression& expression);

}  // namespace orchestrator
