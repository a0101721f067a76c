"""What ministack lacks of ECS, put into it: a scheduler. `python -m tests.doubles.ecs_scheduler` is ministack with it.

ministack keeps services, task definitions and tags, and runs containers. It has one state for every rollout, starts nothing again, lets a
task whose image is missing "run", and tells neither digests nor addresses nor logs. Here a service is brought on by one step whenever
somebody looks at it: tasks begin and end within the percentages, what ended is started again, the breaker counts tasks that could not
start (and, as AWS's, not those that had begun to run), and what is told of tasks comes from their containers.
"""
