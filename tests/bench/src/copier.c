/*
 * The floor of a log whose lines arrive one at a time: one read and one write for each, and no more.
 *
 *   copier BYTES     copies descriptor 0 to descriptor 1, at most so many bytes at once: the length of a line
 */
#include <stdlib.h>
#include <unistd.h>

static char line[65536];

int main(int count, char **words)
{
    ssize_t length;
    size_t most = count == 2 ? strtoul(words[1], NULL, 10) : 0;

    if (most == 0 || most > sizeof(line))
        return 100;
    while ((length = read(0, line, most)) > 0)
        if (write(1, line, length) != length)
            return 111;
    return length < 0 ? 111 : 0;
}
