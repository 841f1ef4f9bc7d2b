/*
 * The floor: an ordinary program that does nothing but fork and exec.
 *
 *   launcher DIRECTORY ...     runs ./run of each directory in a child of its own, and again whenever it ends
 *
 * Its children end with it.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 1000

extern char **environ;

static pid_t start(const char *directory)
{
    char *run[] = {"./run", NULL};
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && chdir(directory) == 0)
        execve(run[0], run, environ);
    _exit(111);
}

int main(int count, char **words)
{
    pid_t pids[MOST];
    pid_t ended;

    if (count > MOST)
        return 100;
    for (int place = 1; place < count; place++)
        if ((pids[place] = start(words[place])) < 0)
            return 111;
    while ((ended = wait(NULL)) > 0)
        for (int place = 1; place < count; place++)
            if (pids[place] == ended && (pids[place] = start(words[place])) < 0)
                return 111;
    return 0;
}
