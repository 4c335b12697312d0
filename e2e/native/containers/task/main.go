// Command task has nothing to do and succeeds at once: the container of a Job.
package main

func main() {}
