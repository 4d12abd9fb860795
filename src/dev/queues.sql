create extension if not exists pgmq;
select pgmq.create('jobs'), pgmq.create('jobs_dlq');
