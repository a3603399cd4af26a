import { describe, expect, it } from 'vitest'
import { cppFunctions } from './cpp-functions.mjs'

const found = (text: string) => cppFunctions(text).map(({ name, line, lines }) => [name, line, lines])

describe('cppFunctions', () => {
  it('measures functions and members from the head to the last brace', () => {
    const text = `#include "a.h"
namespace heml {

struct Pair final : Base<int> {
    int first{0};
    int sum() const { return first; }
};

template <typename T>
T add(T a,
      T b) {
    if (a) {
        return b;
    }
    return a + b;
}

}  // namespace heml
extern "C" {
void plain(void) {
}
}
`
    expect(found(text)).toEqual([
      ['int sum() const', 6, 1],
      ['T add(T a,', 9, 8],
      ['void plain(void)', 20, 2],
    ])
  })

  it('takes constructors with their lists, and lambdas as part of their function', () => {
    const text = `Thing::Thing(int x)
    : a_{x},
      b_(Word{0} - x),
      c_{Inner{x}} {
    run([&](int y) {
        return y;
    });
}
`
    expect(found(text)).toEqual([['Thing::Thing(int x)', 1, 8]])
  })

  it('takes no list of values for a function, and what follows it for itself', () => {
    const text = `constexpr Row ROWS[] = {
    {f(1), 2},
    {f(3), 4},
};
enum class Kind : int {
    one = sizeof(int),
};
inline Row first() { return ROWS[0]; }
const std::vector<int> values{f(1),
                              f(2)};
TEST(last) {
    CHECK(true);
}
`
    expect(found(text)).toEqual([
      ['inline Row first()', 8, 1],
      ['TEST(last)', 11, 3],
    ])
  })

  it('is not led astray by braces in comments, texts, characters and macros', () => {
    const text = `#define OPEN(x) \\
    if (x) {
// void no() {
/* void no() {
 */
void yes() {
    print("{ \\" {", '{', R"x({ ")x", 1'000);
}
`
    expect(found(text)).toEqual([['void yes()', 6, 3]])
  })
})
