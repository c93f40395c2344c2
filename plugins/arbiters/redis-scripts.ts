/**
 * What is kept under a lease's key: our token (32 letters), a space, the epoch (20 digits), a space, the
 * holder's name. Each script runs as one step of the server.
 */

/**
 * Keys: the lease, its counter. Arguments: token, ttl in ms, holder. Answers what is kept then.
 * The epoch is one more than the last, or the server's microseconds if that is more: a server that lost
 * its counter goes on above it, as long as its clock is right.
 */
export const ACQUIRE = `
local kept = redis.call('GET', KEYS[1])
if kept then
  if string.sub(kept, 1, 32) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return kept
end
local now = redis.call('TIME')
local micros = string.format('%d%06d', now[1], now[2])
local epoch = string.format('%.0f', redis.call('INCR', KEYS[2]))
if #epoch < #micros or (#epoch == #micros and epoch < micros) then
  epoch = micros
  redis.call('SET', KEYS[2], epoch)
end
kept = ARGV[1] .. ' ' .. string.rep('0', 20 - #epoch) .. epoch .. ' ' .. ARGV[3]
redis.call('SET', KEYS[1], kept, 'NX', 'PX', ARGV[2])
return kept`;

/** Key: the lease. Arguments: token, ttl in ms. Answers what is kept, or nothing where it is not ours. */
export const RENEW = `
local kept = redis.call('GET', KEYS[1])
if not kept or string.sub(kept, 1, 32) ~= ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return kept`;

/**
 * Keys: the lease, one that nobody has. Answers what is kept. It writes what is not there, which changes
 * nothing; a replica, a server whose disk is full, and one that does not let this user write refuse it.
 */
export const LOOK = `
local kept = redis.call('GET', KEYS[1])
redis.call('TIME')
redis.call('SET', KEYS[2], '', 'XX', 'PX', 1)
redis.call('PEXPIRE', KEYS[2], 1)
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', KEYS[2], '')
return kept`;

/** Key: the lease. Arguments: token. Tells those who listen on a channel named as the key. */
export const RELEASE = `
local kept = redis.call('GET', KEYS[1])
if kept and string.sub(kept, 1, 32) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('PUBLISH', KEYS[1], 'released')
end
return false`;
